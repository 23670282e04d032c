//! `inlet export --format parquet`, as another program reads it.

use std::fs::File;
use std::path::Path;

use parquet::basic::LogicalType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};

use super::harness::{Home, json};

/// The name of each column, and what its values are.
fn columns(path: &Path) -> Vec<(String, String)> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let column = |column: &parquet::schema::types::ColumnDescPtr| {
        let kind = match column.logical_type_ref() {
            Some(LogicalType::String) => "text".to_owned(),
            Some(LogicalType::Json) => "json".to_owned(),
            Some(LogicalType::Timestamp(_)) => "time".to_owned(),
            _ => column.physical_type().to_string().to_lowercase(),
        };
        (column.name().to_owned(), kind)
    };
    schema.columns().iter().map(column).collect()
}

fn rows(path: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

fn field<'a>(row: &'a Row, name: &str) -> &'a Field {
    row.get_column_iter().find(|(own, _)| *own == name).unwrap_or_else(|| panic!("no {name} in {row}")).1
}

/// What the columns of that name hold.
fn all(path: &Path, name: &str) -> Vec<Field> {
    rows(path).iter().map(|row| field(row, name).clone()).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect()
}

fn text(text: &str) -> Field {
    Field::Str(text.to_owned())
}

/// A collection with values of many kinds, which were read from these lines.
fn mixed() -> Home {
    let home = Home::new();
    let lines = [
        r#"{"id": 1, "flag": true, "whole": -9223372036854775808, "part": 1, "name": "ä \"x\"\n", "big": 9007199254740993.5, "any": 1, "tags": [1], "void": null, "key": "own"}"#,
        r#"{"id": 2, "flag": null, "whole": 9223372036854775807, "part": 0.10, "name": "plain", "big": 0.1, "any": "1", "tags": {"a": {}}, "void": null}"#,
        r#"{"id": 3}"#,
    ];
    home.write("mixed.jsonl", &format!("{}\n", lines.join("\n")));
    home.inlet_well("sync mixed.jsonl --into mixed --key id");
    home
}

#[test]
fn a_field_whose_values_are_of_one_kind_is_a_column() {
    let home = mixed();
    let ran = home.inlet("export mixed --format parquet --to mixed.parquet");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), "3 records written to mixed.parquet\n"), "{ran}");
    assert!(!home.join("mixed.parquet.part").exists());
    let path = home.join("mixed.parquet");
    let of_record = [
        ("connector_id", "text"),
        ("stream", "text"),
        ("key", "int64"),
        ("data", "json"),
        ("change", "int64"),
        ("sync_id", "text"),
        ("created_at", "time"),
        ("updated_at", "time"),
    ];
    let of_data =
        [("flag", "boolean"), ("id", "int64"), ("name", "text"), ("part", "double"), ("whole", "int64")];
    assert_eq!(columns(&path), pairs(&[&of_record[..], &of_data].concat()));
    assert_eq!(all(&path, "key"), [1, 2, 3].map(Field::Long));
    assert_eq!(all(&path, "flag"), [Field::Bool(true), Field::Null, Field::Null]);
    assert_eq!(all(&path, "whole"), [Field::Long(i64::MIN), Field::Long(i64::MAX), Field::Null]);
    assert_eq!(all(&path, "part"), [Field::Double(1.0), Field::Double(0.1), Field::Null]);
    assert_eq!(all(&path, "name"), [text("ä \"x\"\n"), text("plain"), Field::Null]);
}

#[test]
fn a_record_stands_there_as_it_does_in_ndjson() {
    let home = mixed();
    home.inlet_well("export mixed --format parquet --to mixed.parquet");
    let rows = rows(&home.join("mixed.parquet"));
    let lines = home.inlet_well("export mixed");
    assert_eq!(rows.len(), lines.lines().count());
    for (row, line) in rows.iter().zip(lines.lines()) {
        let record = json(line);
        for name in ["connector_id", "stream", "sync_id"] {
            assert_eq!(field(row, name), &text(record[name].as_str().unwrap()));
        }
        let Field::Str(data) = field(row, "data") else { panic!("{row}") };
        assert!(line.contains(&format!("\"data\":{data},")), "{data} is not that of {line}");
        assert_eq!(field(row, "change"), &Field::Long(record["change"].as_i64().unwrap()));
        let Field::TimestampMicros(micros) = field(row, "created_at") else { panic!("{row}") };
        let time = jiff::Timestamp::from_microsecond(*micros).unwrap();
        assert_eq!(format!("{time:.3}"), record["created_at"].as_str().unwrap());
    }
}

#[test]
fn data_alone_has_a_column_for_every_field_and_loses_no_digit() {
    let home = mixed();
    home.inlet_well("export mixed --format parquet --data-only --to mixed.parquet");
    let path = home.join("mixed.parquet");
    let mut expected = pairs(&[
        ("any", "json"),
        ("big", "json"),
        ("flag", "boolean"),
        ("id", "int64"),
        ("key", "text"),
        ("name", "text"),
        ("part", "double"),
        ("tags", "json"),
        ("void", "json"),
        ("whole", "int64"),
    ]);
    let mut found = columns(&path);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(all(&path, "big"), [text("9007199254740993.5"), text("0.1"), Field::Null]);
    assert_eq!(all(&path, "any"), [text("1"), text("\"1\""), Field::Null]);
    assert_eq!(all(&path, "tags"), [text("[1]"), text("{\"a\":{}}"), Field::Null]);
    assert_eq!(all(&path, "void"), [Field::Null, Field::Null, Field::Null]);
    assert_eq!(all(&path, "key"), [text("own"), Field::Null, Field::Null]);
}

#[test]
fn keys_of_several_fields_and_of_several_streams_are_json() {
    let home = Home::new();
    home.write("a.jsonl", "{\"x\":\"a\",\"y\":1}\n");
    home.write("b.jsonl", "{\"id\":\"b\"}\n");
    home.inlet_well("sync a.jsonl --into both --key x --key y");
    home.inlet_well("sync b.jsonl --into both --key id");
    home.inlet_well("export both --format parquet --to both.parquet");
    assert_eq!(all(&home.join("both.parquet"), "key"), [text("[\"a\",1]"), text("\"b\"")]);
    home.inlet_well("export both --stream b --format parquet --to b.parquet");
    assert_eq!(all(&home.join("b.parquet"), "key"), [text("b")]);
}

#[test]
fn many_records_are_several_groups_in_order() {
    // A group ends when its records have 32 MiB.
    const RECORDS: i64 = 36;
    let home = Home::new();
    let long = "x".repeat(1 << 20);
    let lines: String = (0..RECORDS).map(|id| format!("{{\"id\":{id},\"long\":\"{long}\"}}\n")).collect();
    home.write("many.jsonl", &lines);
    home.inlet_well("sync many.jsonl --into many --key id");
    home.inlet_well("export many --format parquet --to many.parquet");
    let path = home.join("many.parquet");
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    assert_eq!(reader.num_row_groups(), 2);
    assert!(all(&path, "id").into_iter().eq((0..RECORDS).map(Field::Long)));
    assert!(all(&path, "long").into_iter().all(|field| field == text(&long)));
}

#[test]
fn standard_output_takes_a_whole_file() {
    let home = mixed();
    let output = home.command("export mixed --format parquet".split(' ')).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let path = home.join("piped.parquet");
    std::fs::write(&path, output.stdout).unwrap();
    assert_eq!(rows(&path).len(), 3);
}

#[test]
fn what_holds_no_records_is_a_file_without_rows() {
    let home = mixed();
    home.inlet_well("collections create --name Empty --id empty");
    home.inlet_well("export empty --format parquet --to empty.parquet");
    let path = home.join("empty.parquet");
    assert_eq!((columns(&path).len(), rows(&path).len()), (8, 0));
    let ran = home.inlet("export empty --format parquet --data-only --to none.parquet");
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("code: export.no_fields"), "{ran}");
    assert!(!home.join("none.parquet").exists() && !home.join("none.parquet.part").exists());
}

#[test]
fn fields_beyond_a_bound_have_no_column_and_stay_in_the_data() {
    let home = Home::new();
    let fields: Vec<String> = (0..501).map(|number| format!("\"f{number}\":{number}")).collect();
    home.write("wide.jsonl", &format!("{{{}}}\n", fields.join(",")));
    home.inlet_well("sync wide.jsonl --into wide");
    home.inlet_well("export wide --format parquet --to wide.parquet");
    let path = home.join("wide.parquet");
    assert_eq!(columns(&path).len(), 508);
    let Field::Str(data) = all(&path, "data").remove(0) else { panic!("data is a text") };
    assert_eq!(json(&data).as_object().unwrap().len(), 501);
    let ran = home.inlet("export wide --format parquet --data-only --to narrow.parquet");
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("code: export.too_many_fields"), "{ran}");
}
