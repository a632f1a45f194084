using Microsoft.Extensions.Configuration;

namespace QueueWorkers.Hosting;

/// <summary>
/// How long a process may take from SIGTERM to its exit, section <c>Shutdown</c>. Everything that has to end is given a
/// part of it, each a little before the next, so that the end is orderly as long as the machine keeps up; and
/// <see cref="ExitDeadline"/> ends the process when it does not.
/// </summary>
public sealed record ShutdownOptions
{
    /// <summary>
    /// Longest time from SIGTERM to the exit. What starts the process must wait a little longer before it kills the
    /// process. Default: 25 seconds.
    /// </summary>
    public TimeSpan Within { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>
    /// How long runs that are under way may go on; then their token is cancelled, and they have
    /// <c>TimeLimit.GraceAtTheEnd</c> to notice. 13 of 25 seconds.
    /// </summary>
    public TimeSpan ForRuns => Within * 0.52;

    /// <summary>
    /// When the bus stops waiting for them: what is not acked by then returns to its queue. 18 of 25 seconds.
    /// </summary>
    public TimeSpan ForTheBus => Within * 0.72;

    /// <summary>When everything else is told to hurry: relay, schedules, HTTP requests. 20 of 25 seconds.</summary>
    public TimeSpan ForTheHost => Within * 0.8;

    /// <summary>
    /// When the process is ended as it is. The rest is for a machine that is late with everything. 22 of 25 seconds.
    /// </summary>
    public TimeSpan Deadline => Within * 0.88;

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static ShutdownOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Shutdown").Get<ShutdownOptions>() ?? new ShutdownOptions();
        new ConfigurationProblems()
            .Require(
                options.Within >= TimeSpan.FromSeconds(5) && options.Within <= TimeSpan.FromMinutes(10),
                $"Shutdown:Within must be 00:00:05–00:10:00, got {options.Within}; set Shutdown__Within"
            )
            .ThrowIfAny();
        return options;
    }
}
