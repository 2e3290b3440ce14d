"""What a person sees of the commands: progress, tables, and lines, each kind rendered here and nowhere else."""
