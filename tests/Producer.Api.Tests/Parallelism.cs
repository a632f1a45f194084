// Fixtures run side by side, each with an API and a database of its own; more than three would only wait for the two
// processors.
[assembly: LevelOfParallelism(3)]
[assembly: Parallelizable(ParallelScope.Fixtures)]
