"""The ground of the harness: errors, files, names, values, devices, fingerprints."""
