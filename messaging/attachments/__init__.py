"""Files that people and agents send each other: stored per conversation, for those who take part in it and no one else."""
