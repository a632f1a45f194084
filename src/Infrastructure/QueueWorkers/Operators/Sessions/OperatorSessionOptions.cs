using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.Operators.Sessions;

/// <summary>Sessions of operators in a browser, section <c>Sessions</c>.</summary>
public sealed record OperatorSessionOptions
{
    /// <summary>
    /// Time after which a session ends in which the operator opens no page and sends no form. Figures that a page
    /// fetches by itself do not count. Default: 30 minutes.
    /// </summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static OperatorSessionOptions Read(IConfiguration configuration)
    {
        var options =
            configuration.GetSection("Sessions").Get<OperatorSessionOptions>() ?? new OperatorSessionOptions();
        new ConfigurationProblems()
            .Require(
                options.Idle >= TimeSpan.FromMinutes(1) && options.Idle <= OperatorSessions.Lifetime,
                $"Sessions:Idle must be 00:01:00–12:00:00, got {options.Idle}; set Sessions__Idle"
            )
            .ThrowIfAny();
        return options;
    }
}
