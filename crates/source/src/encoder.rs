//! From a record's raw JSON to an entry of a batch: the path every JSON source shares.
