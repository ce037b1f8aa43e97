fn main() {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut a = freehand_tools::desktop::accessibility::Accessibility::connect(None).await.unwrap();
        println!("{}", a.raw().await);
    });
}
