//! Every source Inlet can read, one folder each.
