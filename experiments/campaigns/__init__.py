"""Long campaigns: kills and power cuts, files larger than memory, planted bugs, random nets."""
