"""What can be compared: the registry of components, the names of methods, plug-ins."""
