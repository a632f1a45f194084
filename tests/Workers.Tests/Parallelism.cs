// Fixtures run side by side, each in its own database and virtual host; more than three would only wait for the two
// processors.
[assembly: LevelOfParallelism(3)]
[assembly: Parallelizable(ParallelScope.Fixtures)]
