//! The cells of a spreadsheet, and of any table that has as many. A sheet says that it has two thousand million children
//! and does not come back from naming them, so its cells are found by place: which columns and rows show is asked along the first of
//! each, and of the cells where they meet only those are read in which the picture shows something, or
//! in which one would go on writing.

use std::collections::HashMap;

use ::atspi::{Role as BusRole, State};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::bus::Bus;
use super::later::LASTS;
use super::node::{Address, Node, Tree};
use super::placing::{Place, Places};
use crate::frame::Frame;
use crate::geometry::{Rect, ScreenRect};

/// Columns and rows of one sheet that are looked at.
const MOST: (i32, i32) = (40, 80);
/// Cells of one sheet that are read.
const CELLS: usize = 400;
/// How far inside of a cell the lines around it end, in px.
const INSET: u32 = 3;
/// How far below the corner of a table its first row is looked for where none begins there, in px.
const HEADERS: [i32; 4] = [16, 32, 48, 64];
/// So many rows may show between there and the headers.
const ABOVE: i32 = 4;
/// In place of the row of a header.
const NO_ROW: i32 = -1;
/// Steps of a channel by which ink differs from what it stands on.
const INK: u8 = 40;

/// What is known of the cells of sheets.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// In which sheet each stands that is listed, and in which row and column of it.
    pub(super) at: HashMap<Address, (Address, (i32, i32))>,
    /// What each sheet showed when it was last read to the end: a program that was late is not asked for more.
    shown: HashMap<Address, (Instant, Placed)>,
}

/// Cells, each with its row and column.
type Placed = Vec<((i32, i32), Node)>;

impl Cells {
    /// Forgets what is listed, for the look that begins, and what was shown too long ago.
    pub(super) fn begin(&mut self) {
        self.at.clear();
        self.shown.retain(|_, (read, _)| read.elapsed() < LASTS);
    }
}

/// Adds to `tree` the cells of its sheets that show something in `frame`, and says whether those of all were
/// found. `places` says where an object stands that its program tells elsewhere.
pub(super) async fn add_cells(
    bus: &Bus,
    tree: &mut Tree,
    frame: &Frame,
    (places, known): (&mut Places, &mut Cells),
) -> bool {
    let mut are_found = true;
    let tables: Vec<Address> =
        tree.nodes().filter(|node| is_sheet(node)).map(|node| node.address.clone()).collect();
    for table in tables {
        let sheet = tree.get(&table).and_then(|table| Sheet::of(tree, table, places));
        let read = match &sheet {
            Some(sheet) => sheet.cells(bus, frame).await,
            None => None,
        };
        let is_whole = bus.pulses().missing(&table.bus).is_none();
        let last = known.shown.get(&table).map(|(_, cells)| cells.clone());
        let cells = if is_whole { read } else { last.or(read) };
        if let Some(cells) = cells.as_ref().filter(|_| is_whole) {
            known.shown.insert(table.clone(), (Instant::now(), cells.clone()));
        }
        let Some((sheet, cells)) = sheet.zip(cells) else {
            are_found = false;
            continue;
        };
        let in_rows = cells.iter().filter(|((row, _), _)| *row != NO_ROW);
        known.at.extend(in_rows.map(|(at, cell)| (cell.address.clone(), (sheet.table.clone(), *at))));
        sheet.add(cells.into_iter().map(|(_, cell)| cell).collect(), tree, places);
    }
    are_found
}

/// Whether its cells are found by their places: a table with more in it than can be looked at.
pub(super) fn is_sheet(node: &Node) -> bool {
    node.is_vast && matches!(node.role, BusRole::Table | BusRole::TreeTable) && node.shows()
}

/// The part of an area that lies below an edge.
fn below(area: ScreenRect, edge: Option<i32>) -> Option<ScreenRect> {
    let top = edge.unwrap_or(area.y).max(area.y);
    let height = u32::try_from(area.bottom().checked_sub(top)?).ok()?;
    Some(Rect::new(area.x, top, area.width, height))
}

/// A sheet, and what shows of it.
struct Sheet {
    table: Address,
    area: ScreenRect,
    place: Place,
}

impl Sheet {
    /// A table with more in it than can be looked at. What holds it knows how much of it shows.
    fn of(tree: &Tree, node: &Node, places: &Places) -> Option<Self> {
        if !is_sheet(node) {
            return None;
        }
        let holder = tree.get(node.parent.as_ref()?)?;
        let area = holder.bounds.filter(|bounds| !bounds.is_empty())?;
        Some(Self { table: node.address.clone(), area, place: places.of(&holder.address) })
    }

    /// Adds its cells, which are told where what holds the sheet is told: before a click each is looked for there.
    fn add(&self, cells: Vec<Node>, tree: &mut Tree, places: &mut Places) {
        for cell in &cells {
            places.put(cell.address.clone(), self.place);
        }
        tree.add(cells);
    }

    async fn cells(&self, bus: &Bus, frame: &Frame) -> Option<Placed> {
        let (row, column, is_headed) = self.first(bus).await?;
        let above = if is_headed { ABOVE } else { 0 };
        let across = (0..MOST.0).map(|at| (row, column.saturating_add(at)));
        let top = row.saturating_sub(above).max(0);
        let down = (0..MOST.1).map(|at| (top.saturating_add(at), column));
        let (across, down) =
            tokio::join!(self.places(bus, across.collect()), self.places(bus, down.collect()));
        let headed: Vec<i32> =
            across.iter().filter(|_| is_headed).map(|((_, column), _)| *column).collect();
        let headers = self.headers(bus, &headed).await;
        // Rows are scrolled away under the headers.
        let edge =
            headers.iter().filter_map(|(_, header)| header.bounds).map(|bounds| bounds.bottom()).max();
        let area = below(self.area, edge)?;
        let shows = |place: &ScreenRect| place.intersect(&area).is_some_and(|part| !part.is_empty());
        let lines: Vec<(i32, ScreenRect)> =
            down.iter().filter(|(_, at)| shows(at)).map(|((row, _), at)| (*row, *at)).collect();
        let stacks: Vec<(i32, ScreenRect)> =
            across.iter().map(|((_, column), at)| (*column, *at)).collect();
        let wanted = wanted(&lines, &stacks, |cell| {
            cell.intersect(&area).is_some_and(|cell| has_ink(frame, &cell))
        });
        let cells = join_all(wanted.iter().zip(0..).map(|(wanted, index)| async move {
            let at = bus.cell(&self.table, wanted.at).await?;
            let text = bus.text(&at);
            // LibreOffice forgets a cell between two questions, and those of GTK need not have a text.
            let (mut node, text) = if is_headed {
                let (node, _) = bus.whole(&at).await?;
                let text = if node.has_text { text.await } else { None };
                (node, text)
            } else {
                let (node, text) = tokio::join!(bus.one(&at), text);
                (node?.0, text)
            };
            let text = if node.has_text { text? } else { node.name.clone() };
            node.states.insert(State::Showing);
            let text = Some(text).filter(|text| !text.trim().is_empty());
            let is_next = wanted.is_next && (!is_headed || node.is(State::Editable));
            if text.is_none() && !is_next {
                return None;
            }
            let (parent, bounds) = (Some(self.table.clone()), wanted.bounds.intersect(&area));
            Some((wanted.at, Node { parent, index, bounds, text, ..node }))
        }));
        Some(headers.into_iter().chain(cells.await.into_iter().flatten()).collect())
    }

    /// The row and column of the first cell that shows, and whether something stands above it.
    async fn first(&self, bus: &Bus) -> Option<(i32, i32, bool)> {
        let inset = i32::try_from(INSET).ok()?;
        let corner = self.area.origin().offset(inset, inset);
        let hit = |down: i32| bus.at_point(&self.table, self.place.back(corner.offset(0, down)));
        let (first, is_headed) = match hit(0).await {
            Some(first) => (first, false),
            None => (join_all(HEADERS.map(hit)).await.into_iter().flatten().next()?, true),
        };
        let (parent, index, columns) =
            tokio::join!(bus.parent(&first), bus.index(&first), bus.columns(&self.table));
        let index = index.filter(|_| !is_headed || parent.as_ref() == Some(&self.table))?;
        let columns = columns.filter(|columns| *columns > 0)?;
        let told = if is_headed { bus.place_in_table(&self.table, index).await } else { None };
        let (row, column) = told.unwrap_or((index / columns, index % columns));
        Some((row, column, is_headed))
    }

    /// What stands above these columns; there is no row of the table for it.
    async fn headers(&self, bus: &Bus, columns: &[i32]) -> Placed {
        let asked = columns.iter().map(|column| async {
            let at = bus.header(&self.table, *column).await?;
            let (node, bounds) = tokio::join!(bus.one(&at), bus.extents(std::slice::from_ref(&at)));
            let bounds = bounds.into_iter().flatten().next().map(|bounds| self.place.of(bounds))?;
            let (node, _) = node.filter(|(node, _)| node.shows())?;
            let bounds = Some(bounds.intersect(&self.area)?);
            let parent = Some(self.table.clone());
            Some(((NO_ROW, *column), Node { parent, index: *column, bounds, ..node }))
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Where those of these cells are that show, in their order.
    async fn places(&self, bus: &Bus, cells: Vec<(i32, i32)>) -> Vec<((i32, i32), ScreenRect)> {
        let asked = cells.iter().map(|at| bus.cell(&self.table, *at));
        let found: Vec<((i32, i32), Address)> = cells
            .iter()
            .zip(join_all(asked).await)
            .filter_map(|(at, cell)| Some((*at, cell?)))
            .collect();
        let addresses: Vec<Address> = found.iter().map(|(_, cell)| cell.clone()).collect();
        let places = found.into_iter().zip(bus.extents(&addresses).await);
        places
            .filter_map(|((at, _), place)| Some((at, self.place.of(place?))))
            .filter(|(_, place)| place.intersect(&self.area).is_some_and(|shows| !shows.is_empty()))
            .collect()
    }
}

/// A cell that is read.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    /// Its row and column.
    at: (i32, i32),
    bounds: ScreenRect,
    /// Whether it is where something may be added.
    is_next: bool,
}

/// Of the cells where these rows and columns meet those in which something is drawn, and the empty ones where one
/// would add to it: below each column, and to the right of the first row. Nobody is served by a thousand others.
fn wanted(
    rows: &[(i32, ScreenRect)],
    columns: &[(i32, ScreenRect)],
    is_drawn_in: impl Fn(&ScreenRect) -> bool,
) -> Vec<Wanted> {
    let cell =
        |row: &ScreenRect, column: &ScreenRect| Rect::new(column.x, row.y, column.width, row.height);
    let drawn: Vec<Vec<bool>> = rows
        .iter()
        .map(|(_, row)| columns.iter().map(|(_, column)| is_drawn_in(&cell(row, column))).collect())
        .collect();
    let is_drawn =
        |row: usize, column: usize| drawn.get(row).is_some_and(|row| row.get(column) == Some(&true));
    let lowest = (0..rows.len()).rfind(|row| (0..columns.len()).any(|column| is_drawn(*row, column)));
    let first = (0..rows.len()).find(|row| (0..columns.len()).any(|column| is_drawn(*row, column)));
    let is_next = |row: usize, column: usize| {
        let is_used = (0..rows.len()).any(|row| is_drawn(row, column));
        let follows = column.checked_sub(1).is_some_and(|before| is_drawn(row, before));
        match lowest {
            None => (row, column) == (0, 0),
            Some(lowest) => is_used && row == lowest + 1 || Some(row) == first && follows,
        }
    };
    let mut found = Vec::new();
    for (r, (row, line)) in rows.iter().enumerate() {
        for (c, (column, stack)) in columns.iter().enumerate() {
            let is_next = !is_drawn(r, c) && is_next(r, c);
            if is_drawn(r, c) || is_next {
                found.push(Wanted { at: (*row, *column), bounds: cell(line, stack), is_next });
            }
        }
    }
    found.truncate(CELLS);
    found
}

/// Whether something is drawn in a cell, its own colour apart.
fn has_ink(frame: &Frame, cell: &ScreenRect) -> bool {
    let within = |side: u32| side.checked_sub(2 * INSET).filter(|side| *side > 0);
    let (Some(width), Some(height)) = (within(cell.width), within(cell.height)) else { return false };
    let inset = i32::try_from(INSET).unwrap_or(0);
    let inner = Rect::new(cell.x.saturating_add(inset), cell.y.saturating_add(inset), width, height);
    let Some(part) = frame.crop(&inner) else { return false };
    let mut pixels = part.pixels().pixels();
    let Some(ground) = pixels.next() else { return false };
    pixels.any(|pixel| pixel.0.iter().zip(ground.0).any(|(a, b)| a.abs_diff(b) > INK))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, part, tree};
    use super::*;
    use crate::geometry::Point;

    /// As LibreOffice tells of Calc: all below the menu bar 25 px too high.
    #[test]
    fn cells_are_clicked_where_they_are_and_not_where_they_are_told() {
        let table = part("table", "view", BusRole::Table, "Sheet", [0, 0, 0, 0]);
        let mut told = tree(vec![
            part("panel", "win", BusRole::Panel, "", [0, 44, 1000, 756]),
            part("pane", "panel", BusRole::RootPane, "", [0, 19, 1000, 756]),
            part("view", "pane", BusRole::Panel, "", [30, 180, 900, 500]),
            Node { is_vast: true, ..table },
        ]);
        let mut places = Places::default();
        places.move_below_menus(&mut told);
        let sheet = Sheet::of(&told, told.get(&at("table")).unwrap(), &places).unwrap();
        assert_eq!(sheet.area, Rect::new(30, 205, 900, 500));
        // A place on the screen is asked for as the program counts.
        assert_eq!(sheet.place.back(Point::new(33, 208)), Point::new(33, 183));
        let as_told = Rect::new(110, 197, 80, 17);
        let shown = sheet.place.of(as_told);
        assert_eq!(shown, Rect::new(110, 222, 80, 17));
        let cell = part("b2", "table", BusRole::TableCell, "B2", [110, 222, 80, 17]);
        sheet.add(vec![cell], &mut told, &mut places);
        let cell = told.get(&at("b2")).unwrap();
        assert_eq!(cell.bounds, Some(shown));
        // What is read afresh before a click comes out at the same place.
        assert_eq!(places.of(&cell.address).of(as_told), shown);
    }

    /// The cells that are wanted of four rows and four columns, of which these are drawn in; those that are
    /// empty are set apart.
    fn found(drawn: &[(i32, i32)]) -> [Vec<(i32, i32)>; 2] {
        let rows: Vec<_> = (0..4).map(|at| (at + 10, Rect::new(0, at * 20, 50, 20))).collect();
        let columns: Vec<_> = (0..4).map(|at| (at, Rect::new(at * 50, 0, 50, 20))).collect();
        let is_drawn = |cell: &ScreenRect| drawn.contains(&(cell.y / 20 + 10, cell.x / 50));
        let (next, full): (Vec<Wanted>, Vec<Wanted>) =
            wanted(&rows, &columns, is_drawn).into_iter().partition(|wanted| wanted.is_next);
        let places = |all: Vec<Wanted>| all.into_iter().map(|wanted| wanted.at).collect();
        [places(full), places(next)]
    }

    #[test]
    fn where_one_goes_on_writing_is_wanted_too() {
        assert_eq!(found(&[]), [vec![], vec![(10, 0)]]);
        let table = [(10, 0), (10, 1), (11, 0), (11, 1)];
        assert_eq!(found(&table), [table.to_vec(), vec![(10, 2), (12, 0), (12, 1)]]);
        // One row lower in all columns that are used, however long each is; none where there is no room.
        let ragged = [(11, 1), (12, 1), (12, 2)];
        assert_eq!(found(&ragged), [ragged.to_vec(), vec![(11, 2), (13, 1), (13, 2)]]);
        assert_eq!(found(&[(13, 3)]), [vec![(13, 3)], vec![]]);
    }

    #[test]
    fn only_a_table_that_is_vast_is_a_sheet() {
        let table = part("table", "view", BusRole::Table, "Prices", [40, 190, 300, 200]);
        let told = tree(vec![part("view", "win", BusRole::Panel, "", [30, 180, 900, 500]), table]);
        let table = told.get(&at("table")).unwrap();
        assert!(Sheet::of(&told, table, &Places::default()).is_none());
    }
}
