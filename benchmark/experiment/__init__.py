"""What a run is and which runs are made: specifications, presets, grids, preregistration."""
