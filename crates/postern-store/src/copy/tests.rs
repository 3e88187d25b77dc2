use postern_testkit::postgres::Postgres;

use super::error::CopyError;
use super::postgres_side::PostgresSide;
use super::side::{Place, Side as _};
use super::sqlite_side::SqliteSide;
use super::tables::{Table, plan};
use crate::sqlite::catalog::Shape;
use crate::testing::TempStore;
use crate::{Tuning, store_file};

/// The tables of both engines, freshly made.
async fn shapes() -> (Vec<Shape>, Vec<Shape>) {
    let file = TempStore::open(Tuning::default()).await;
    let url = Postgres::shared().database();
    let _shared = TempStore::at(Some(url.clone()), Tuning::default()).await;
    let mut sqlite = SqliteSide::open(&store_file(file.path())).unwrap();
    let mut postgres = PostgresSide::open(&url).await.unwrap();
    (
        sqlite.shapes().await.unwrap(),
        postgres.shapes().await.unwrap(),
    )
}

/// Fails when a migration adds a table or a column and nobody said in `tables.rs` what a copy does
/// with it.
#[tokio::test]
async fn every_table_and_column_of_both_schemas_is_copied_or_named_as_left_out() {
    let (sqlite, postgres) = shapes().await;
    let tables = plan(&sqlite, &postgres).unwrap();
    assert!(tables.len() > 20, "{}", tables.len());
    assert!(tables.iter().all(|table: &Table| !table.key.is_empty()));
}

#[tokio::test]
async fn a_table_or_column_that_nobody_named_stops_the_copy() {
    let (sqlite, postgres) = shapes().await;
    let with = |shapes: &[Shape], change: &dyn Fn(&mut Vec<Shape>)| {
        let mut shapes = shapes.to_vec();
        change(&mut shapes);
        shapes
    };
    let table = |shapes: &mut Vec<Shape>| {
        let mut new = shapes[0].clone();
        new.table = "new_table".to_owned();
        shapes.push(new);
    };
    let column = |shapes: &mut Vec<Shape>| {
        let clients = shapes.iter_mut().find(|shape| shape.table == "clients");
        clients.unwrap().columns.push("new_column".to_owned());
    };
    for change in [&table as &dyn Fn(&mut Vec<Shape>), &column] {
        for (here, there) in [
            (with(&sqlite, change), postgres.clone()),
            (sqlite.clone(), with(&postgres, change)),
        ] {
            let refused = plan(&here, &there).unwrap_err();
            assert!(matches!(refused, CopyError::Schema(_)), "{refused}");
            assert!(refused.to_string().contains("new_"), "{refused}");
        }
    }
}

#[test]
fn what_is_shown_of_a_url_is_where_it_is_and_no_password() {
    let shown = |url| Place::parse(url).shown();
    assert_eq!(
        shown("postgres://u:hunter2@db1,db2:5433/p?password=hunter2&sslmode=disable"),
        "postgres://db1,db2:5433/p"
    );
    assert_eq!(
        shown("postgres:///p?host=/run/pg&user=u"),
        "postgres:///p?host=/run/pg"
    );
}
