// The live screen: draws the tiles that have changed, and asks for the next ones when they stand there.

import { byId, say, visible } from "/elements.js";

const AGAIN = 1000;
const SVG = "http://www.w3.org/2000/svg";

export class Screen {
  bounds = { x: 0, y: 0, width: 1280, height: 800 };
  #canvas = byId("canvas");
  #paper = byId("canvas").getContext("2d", { alpha: false });
  #socket = null;
  #pointer = null;
  #live = false;

  connect() {
    const socket = new WebSocket(`ws://${location.host}/screen`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onmessage = async (message) => {
      this.#live = true;
      await this.#draw(message.data);
      if (socket.readyState === WebSocket.OPEN) {
        socket.send(JSON.stringify({ says: "drawn" }));
      }
    };
    socket.onclose = async () => {
      const answer = await fetch("/screen").catch(() => null);
      // Where the person sits before the display there is nothing to be shown.
      if (answer?.status !== 404 && answer?.status !== 401) {
        setTimeout(() => this.connect(), AGAIN);
      }
    };
  }

  // What the person does with mouse and keyboard.
  touch(touch) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ says: "touch", touch }));
    }
  }

  // Where a point of the page lies on the screen.
  point(event) {
    const place = this.#canvas.getBoundingClientRect();
    const along = (from, size, start, length) =>
      Math.max(start, Math.min(start + length - 1, Math.floor(start + (from / size) * length)));
    return {
      x: along(event.clientX - place.left, place.width, this.bounds.x, this.bounds.width),
      y: along(event.clientY - place.top, place.height, this.bounds.y, this.bounds.height),
    };
  }

  caption(state) {
    const front = state.windows?.[0];
    const where = front ? `In front: ${visible(front)}.` : "No window is open.";
    const gaps = (state.gaps ?? []).map(visible).join("; ");
    say(byId("caption"), gaps ? `${where} Not everything could be seen: ${gaps}` : where);
    const digest = state.steps?.at(-1)?.frame;
    if (!this.#live && digest) {
      this.#still(`/frames/${digest.slice(0, 16)}.png`, state.bounds);
    }
  }

  async #draw(data) {
    const view = new DataView(data);
    const length = view.getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    this.#resize(head.bounds);
    let offset = 4 + length;
    const parts = head.tiles.map(async ([x, y, , , size]) => {
      const file = new Blob([new Uint8Array(data, offset, size)], { type: "image/png" });
      offset += size;
      return { x, y, picture: await createImageBitmap(file) };
    });
    for (const { x, y, picture } of await Promise.all(parts)) {
      this.#paper.drawImage(picture, x, y);
      picture.close();
    }
    this.#point(head.pointer);
    this.#canvas.dataset.version = head.version;
  }

  #resize(bounds) {
    if (bounds.width === 0 || JSON.stringify(bounds) === JSON.stringify(this.bounds)) {
      return;
    }
    this.bounds = bounds;
    this.#canvas.width = bounds.width;
    this.#canvas.height = bounds.height;
    byId("marks").setAttribute("viewBox", `${bounds.x} ${bounds.y} ${bounds.width} ${bounds.height}`);
  }

  #point(at) {
    if (!at) {
      return;
    }
    if (!this.#pointer) {
      this.#pointer = document.createElementNS(SVG, "path");
      this.#pointer.setAttribute("class", "pointer");
      byId("marks").append(this.#pointer);
    }
    this.#pointer.setAttribute("d", `M${at.x} ${at.y}v17l4-4 3 7 3-1-3-7h6z`);
  }

  #still(source, bounds) {
    const picture = new Image();
    picture.onload = () => {
      this.#resize(bounds);
      this.#paper.drawImage(picture, 0, 0);
    };
    picture.src = source;
  }
}
