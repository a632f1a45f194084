namespace QueueWorkers.Hosting;

/// <summary>
/// Runs a command of an executable and turns a configuration that cannot work into a readable message and exit code 2
/// instead of a stack trace.
/// </summary>
public static class StartUp
{
    /// <summary>Runs the command that the first argument names; <c>run</c> when there is none.</summary>
    /// <param name="args">The executable's arguments.</param>
    /// <param name="find">The command of a name; null when there is none.</param>
    /// <param name="settings">The names of all settings. A wrong configuration may come from a name that is none of
    /// them.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(
        string[] args,
        Func<string, Func<string[], Task>?> find,
        KnownSettings? settings = null
    )
    {
        var name = args is [{ } first, ..] && !first.StartsWith('-') ? first : "run";
        if (find(name) is not { } command)
        {
            await Console.Error.WriteLineAsync($"There is no command '{name}'; expected run, deploy or describe.");
            return 2;
        }

        try
        {
            await command(args is [var given, ..] && given == name ? args[1..] : args);
            // 0, unless the process has ended itself: a loop that ended (LoopWatch), or a worker that could not consume
            // (HealthOptions).
            return Environment.ExitCode;
        }
        catch (InvalidConfigurationException problems)
        {
            await Console.Error.WriteLineAsync(problems.Message);
            foreach (var unknown in settings?.Unknown(Environment.GetEnvironmentVariable("Secrets__Directory")) ?? [])
                await Console.Error.WriteLineAsync($"  - {unknown}");
            return 2;
        }
    }
}
