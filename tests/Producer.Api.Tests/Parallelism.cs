// Fixtures run side by side, each with an API and a database of its own.
[assembly: LevelOfParallelism(4)]
[assembly: Parallelizable(ParallelScope.Fixtures)]
