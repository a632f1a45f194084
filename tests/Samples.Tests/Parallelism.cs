// Fixtures run side by side, each in its own database and virtual host. Most of their time they wait.
[assembly: LevelOfParallelism(3)]
[assembly: Parallelizable(ParallelScope.Fixtures)]
