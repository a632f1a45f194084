using QueueWorkers.Hosting;

namespace Orders.Dashboard.Live;

/// <summary>How many streams of live figures there are, section <c>Live</c>.</summary>
internal sealed record LiveOptions
{
    /// <summary>Most open streams of the dashboard; a browser has one for all its pages. Default: 500.</summary>
    /// <value>streams</value>
    public int Most { get; init; } = 500;

    /// <summary>Most open streams of one operator. Default: 50.</summary>
    /// <value>streams</value>
    public int MostPerOperator { get; init; } = 50;

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
            .ThrowIfAny();
        return options;
    }
}
