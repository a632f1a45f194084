// As many lanes as cases at a time: a case mostly waits for a process to start again or for a lease to end.
[assembly: LevelOfParallelism(4)]
// Minutes of processes that die and start again: `./dev verify`.
[assembly: Category("Long")]
