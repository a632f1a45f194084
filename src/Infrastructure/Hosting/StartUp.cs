namespace Orders.Infrastructure.Hosting;

/// <summary>Runs a command of an executable and turns a configuration that cannot work into a readable message and exit code 2 instead of a stack trace.</summary>
public static class StartUp
{
    /// <summary>Runs the command that the first argument names; <c>run</c> when there is none.</summary>
    /// <param name="args">The executable's arguments.</param>
    /// <param name="find">The command of a name; null when there is none.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args, Func<string, Func<string[], Task>?> find)
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
            // 0, unless the process has ended itself: a loop that ended (LoopWatch), or a worker that could not consume (HealthOptions).
            return Environment.ExitCode;
        }
        catch (InvalidConfigurationException problems)
        {
            await Console.Error.WriteLineAsync(problems.Message);
            return 2;
        }
    }
}
