// As many lanes as cases at a time: a case mostly waits for a process to start again or for a lease to end.
[assembly: LevelOfParallelism(4)]
