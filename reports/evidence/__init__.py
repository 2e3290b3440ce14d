"""The numbers of one data set by method and seed, and where its data come from."""
