"""Pages of HTML for plain values: one file each, without matplotlib, without network. May import: storage."""
