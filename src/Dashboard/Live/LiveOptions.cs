using QueueWorkers.Hosting;

namespace Orders.Dashboard.Live;

/// <summary>Streams of live figures, and from when on waiting needs attention, section <c>Live</c>.</summary>
internal sealed record LiveOptions
{
    /// <summary>Most open streams of the dashboard; a browser has one for all its pages. Default: 500.</summary>
    /// <value>streams</value>
    public int Most { get; init; } = 500;

    /// <summary>Most open streams of one operator. Default: 50.</summary>
    /// <value>streams</value>
    public int MostPerOperator { get; init; } = 50;

    /// <summary>
    /// Messages that have waited longer than this for their next attempt need attention, if orders wait for their step.
    /// Default: 30 seconds.
    /// </summary>
    public TimeSpan WaitingAge { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Messages that wait for their next attempt need attention when their number has grown at this many looks of the
    /// last two minutes, and by a fifth. There is a look each second while a page is open, and each 5 seconds
    /// otherwise. Default: 5.
    /// </summary>
    /// <value>looks</value>
    public int WaitingRises { get; init; } = 5;

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static LiveOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Live").Get<LiveOptions>() ?? new LiveOptions();
        new ConfigurationProblems()
            .Require(options.Most is >= 1 and <= 9000, $"Live:Most must be 1–9000, got {options.Most}; set Live__Most")
            .Require(
                options.MostPerOperator is >= 1 and <= 9000,
                $"Live:MostPerOperator must be 1–9000, got {options.MostPerOperator}; set Live__MostPerOperator"
            )
            .Require(
                options.WaitingAge >= TimeSpan.FromSeconds(1) && options.WaitingAge <= TimeSpan.FromDays(7),
                $"Live:WaitingAge must be 00:00:01–7.00:00:00, got {options.WaitingAge}; set Live__WaitingAge"
            )
            .Require(
                options.WaitingRises is >= 1 and <= 100,
                $"Live:WaitingRises must be 1–100, got {options.WaitingRises}; set Live__WaitingRises"
            )
            .ThrowIfAny();
        return options;
    }
}
