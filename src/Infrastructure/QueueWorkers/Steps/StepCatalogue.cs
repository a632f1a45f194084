using System.Text.RegularExpressions;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using QueueWorkers.Hosting;
using QueueWorkers.Steps.Endpoints;

namespace QueueWorkers.Steps;

/// <summary>
/// The list of steps. Queues, policies, permissions, the API's step list and the checks of the compose file are derived
/// from it.
/// </summary>
public sealed partial class StepCatalogue
{
    private const string None = "none";

    private readonly List<StepEntry> _steps = [];
    private readonly List<Type> _integrationEvents = [];

    /// <summary>All steps, in the order in which they were added.</summary>
    public IReadOnlyList<StepEntry> Steps => _steps;

    /// <summary>Message types that are published but need no subscriber.</summary>
    public IReadOnlyList<Type> IntegrationEvents => _integrationEvents;

    /// <summary>Adds a step.</summary>
    /// <param name="services">Registers what the step needs; called only in a process that runs it, so that others need
    /// not configure it.</param>
    /// <exception cref="ArgumentException">The step's name is not usable, or taken.</exception>
    public StepCatalogue Add<TStep>(Action<IServiceCollection, IConfiguration>? services = null)
        where TStep : class, IStep, IConsumer
    {
        var policy = TStep.Policy;
        if (!NamePattern().IsMatch(policy.Name) || policy.Name == None)
            throw new ArgumentException(
                $"The step name of {typeof(TStep).Name} must match [a-z][a-z0-9-]{{1,30}} and not be '{None}', got '{policy.Name}'; change its Policy."
            );
        if (_steps.Exists(s => s.Name == policy.Name))
            throw new ArgumentException(
                $"Two steps are called '{policy.Name}': {_steps.Find(s => s.Name == policy.Name)!.Type.Name} and {typeof(TStep).Name}; rename one."
            );

        var consumes = typeof(TStep)
            .GetInterfaces()
            .Where(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IConsumer<>))
            .Select(i => i.GetGenericArguments()[0])
            .ToArray();
        _steps.Add(
            new StepEntry(
                typeof(TStep),
                policy,
                consumes,
                services,
                x => x.AddConsumer<TStep>(),
                (endpoint, context) => context.GetRequiredService<IStepEndpoint>().Configure<TStep>(endpoint, context)
            )
        );
        return this;
    }

    /// <summary>Declares a message type that is published although nobody has to listen.</summary>
    public StepCatalogue PublishesEvent<TMessage>()
        where TMessage : class
    {
        _integrationEvents.Add(typeof(TMessage));
        return this;
    }

    /// <summary>The steps that a process is to run.</summary>
    /// <param name="names">Names separated by commas, <c>*</c> for all, or <c>none</c>.</param>
    /// <exception cref="InvalidConfigurationException">Nothing was chosen, or a name is unknown; the message suggests
    /// the nearest.</exception>
    public IReadOnlyList<StepEntry> Choose(string? names)
    {
        var problems = new ConfigurationProblems();
        var chosen = Choose(names, problems);
        problems.ThrowIfAny();
        return chosen;
    }

    /// <summary>The steps that a process is to run.</summary>
    /// <param name="names">Names separated by commas, <c>*</c> for all, or <c>none</c>.</param>
    /// <param name="problems">Told of each name that is unknown, with the nearest, and when there is no name.</param>
    /// <returns>The steps of the names that are known.</returns>
    public IReadOnlyList<StepEntry> Choose(string? names, ConfigurationProblems problems)
    {
        var all = string.Join(", ", _steps.Select(s => s.Name));
        var wanted = (names ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (wanted is ["*"])
            return _steps;
        if (wanted is [None])
            return [];

        problems.Require(
            wanted.Length > 0,
            $"Workers:Steps must name at least one of {all}, or be * or none, got nothing; set Workers__Steps"
        );
        foreach (var name in wanted)
            problems.Require(
                _steps.Exists(s => s.Name == name),
                $"Workers:Steps: there is no step '{name}'{EditDistance.Suggest(name, [.. _steps.Select(s => s.Name)])}; known are {all}; set Workers__Steps"
            );
        return [.. _steps.Where(s => wanted.Contains(s.Name))];
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{1,30}$")]
    private static partial Regex NamePattern();
}

/// <summary>One step of the catalogue.</summary>
/// <param name="Type">The class.</param>
/// <param name="Policy">Its policy.</param>
/// <param name="Consumes">The message types it consumes.</param>
/// <param name="Services">Registers what it needs; null when it needs nothing.</param>
/// <param name="Register">Adds it to MassTransit.</param>
/// <param name="Configure">Configures its endpoint.</param>
public sealed record StepEntry(
    Type Type,
    StepPolicy Policy,
    IReadOnlyList<Type> Consumes,
    Action<IServiceCollection, IConfiguration>? Services,
    Action<IBusRegistrationConfigurator> Register,
    Action<IRabbitMqReceiveEndpointConfigurator, IBusRegistrationContext> Configure
)
{
    /// <summary>The step's name.</summary>
    public string Name => Policy.Name;
}
