// Fixtures run side by side, each with a dashboard and an installation of its own. Fewer than elsewhere: a browser works
// where others wait.
[assembly: LevelOfParallelism(4)]
[assembly: Parallelizable(ParallelScope.Fixtures)]
