// Fixtures run side by side, each in its own database and virtual host. Most of their time they wait: for a limit, a
// lost connection, the next trial.
[assembly: LevelOfParallelism(6)]
[assembly: Parallelizable(ParallelScope.Fixtures)]
