namespace QueueWorkers.Hosting;

/// <summary>Collects everything that is wrong with a configuration, so that the operator fixes it in one go.</summary>
public sealed class ConfigurationProblems
{
    // GetValue<int> and Get<T> throw this from a value that is no number, time or address.
    private const string Binder = "Microsoft.Extensions.Configuration.Binder";

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

    /// <summary>
    /// Runs a part of the registration. The problems that it throws are added, and the next part can run. Any other
    /// exception passes, unless there are problems already: then it may follow from them, and is ignored.
    /// </summary>
    /// <param name="part">Reads one or several sections.</param>
    public ConfigurationProblems Collect(Action part)
    {
        try
        {
            part();
        }
        catch (InvalidConfigurationException found)
        {
            // Two parts may read one section.
            _problems.AddRange(found.Problems.Except(_problems));
        }
        catch (InvalidOperationException unreadable) when (unreadable.Source == Binder)
        {
            _problems.Add(unreadable.Message);
        }
        catch (Exception) when (_problems.Count > 0)
        {
            // The host does not start. If the exception has a cause of its own, the next start shows it.
        }

        return this;
    }

    /// <summary>Reads a section; its problems are added.</summary>
    /// <param name="section">Reads and checks it.</param>
    /// <returns>The options; null when there are problems, and <see cref="ThrowIfAny"/> will throw.</returns>
    public TOptions? Read<TOptions>(Func<TOptions> section)
        where TOptions : class
    {
        TOptions? options = null;
        Collect(() => options = section());
        return options;
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
    )
{
    /// <summary>Each problem: what was expected, what was found, and which variable to set.</summary>
    public IReadOnlyList<string> Problems => problems;
}
