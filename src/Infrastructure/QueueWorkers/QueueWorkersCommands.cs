using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using QueueWorkers.Hosting;
using QueueWorkers.Steps.Endpoints;

namespace QueueWorkers;

/// <summary>The commands of an executable: <c>run</c>, <c>deploy</c> and <c>describe</c>.</summary>
public static class QueueWorkersCommands
{
    /// <summary>
    /// Runs the command that the first argument names; <c>run</c> when there is none. <c>deploy</c> brings database and
    /// broker up to this version, <c>describe</c> prints the steps.
    /// </summary>
    /// <param name="args">The executable's arguments.</param>
    /// <param name="build">Builds the host, which has called <c>AddQueueWorkers</c>.</param>
    /// <returns>The exit code: 2 for a configuration that cannot work.</returns>
    /// <example>
    /// <code>
    /// return await QueueWorkersCommands.RunAsync(args, Application.Build);
    /// </code>
    /// </example>
    public static Task<int> RunAsync(string[] args, Func<string[], WebApplication> build) =>
        StartUp.RunAsync(
            args,
            command =>
                command switch
                {
                    "run" => arguments => build(arguments).RunAsync(),
                    "deploy" => arguments => DeployAsync(build(arguments)),
                    "describe" => arguments => DescribeAsync(build(arguments)),
                    _ => null,
                }
        );

    private static async Task DeployAsync(WebApplication host)
    {
        await using (host)
            await host.Services.GetRequiredService<HostCommands>().Deploy(QueueWorkersDeployment.ToConsole);
    }

    private static async Task DescribeAsync(WebApplication host)
    {
        await using (host)
            Console.WriteLine(Description.Of(host.Services.GetRequiredService<HostCommands>().Options.Steps));
    }
}

/// <summary>What the commands of a host need of it.</summary>
/// <param name="Options">What it is made of.</param>
/// <param name="Deploy">Deploys it; reports to what it is given.</param>
internal sealed record HostCommands(QueueWorkersOptions Options, Func<Action<ILoggingBuilder>, Task> Deploy);
