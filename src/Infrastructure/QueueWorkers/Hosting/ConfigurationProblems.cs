namespace QueueWorkers.Hosting;

/// <summary>Collects everything that is wrong with a configuration, so that the operator fixes it in one go.</summary>
public sealed class ConfigurationProblems
{
    private readonly List<string> _problems = [];

    /// <summary>Adds a problem when a condition does not hold.</summary>
    /// <param name="holds">The condition.</param>
    /// <param name="problem">What was expected, what was found and which variable to set, such as <c>Outbox:BatchSize
    /// must be 1–1000, got 0; set Outbox__BatchSize</c>.</param>
    public ConfigurationProblems Require(bool holds, string problem)
    {
        if (!holds)
            _problems.Add(problem);
        return this;
    }

    /// <summary>Ends the start-up when there are problems.</summary>
    /// <exception cref="InvalidConfigurationException">With all of them, one a line.</exception>
    public void ThrowIfAny()
    {
        if (_problems.Count > 0)
            throw new InvalidConfigurationException(_problems);
    }
}

/// <summary>The configuration cannot work; the message lists every problem and its remedy.</summary>
public sealed class InvalidConfigurationException(IReadOnlyList<string> problems)
    : Exception(
        $"The configuration has {problems.Count} problem(s):{Environment.NewLine}{string.Join(Environment.NewLine, problems.Select(p => "  - " + p))}"
    );
