using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using QueueWorkers.Outbox;

namespace QueueWorkers.Scheduling;

/// <summary>
/// The list of schedules: what recurs, when, and what it does. The deployment writes it into the database, where
/// operators pause and change it.
/// </summary>
public sealed partial class ScheduleCatalogue
{
    private readonly List<ScheduleEntry> _schedules = [];

    /// <summary>All schedules, in the order in which they were added.</summary>
    public IReadOnlyList<ScheduleEntry> Schedules => _schedules;

    /// <summary>
    /// Adds a schedule whose firing publishes a message, once, in the transaction that claims the firing.
    /// </summary>
    /// <param name="name">Lower-case, <c>[a-z][a-z0-9-]{1,40}</c>.</param>
    /// <param name="cron">Five fields, or six with seconds first.</param>
    /// <param name="misfire">What becomes of missed firings.</param>
    /// <param name="message">Makes the message; its subject should be <see cref="Firing.Id"/>, which is also its
    /// message id.</param>
    /// <param name="timeZone">An IANA name.</param>
    /// <exception cref="ArgumentException">Name, cron text or zone cannot be used.</exception>
    public ScheduleCatalogue Publish<TMessage>(
        string name,
        string cron,
        Misfire misfire,
        Func<Firing, TMessage> message,
        string timeZone = "UTC"
    )
        where TMessage : class =>
        Add(
            new ScheduleEntry(
                name,
                cron,
                timeZone,
                misfire,
                firing => OutgoingMessage.Create(message(firing), firing.Id, id: firing.Id),
                null,
                null
            )
        );

    /// <summary>Adds a schedule whose firing runs a job.</summary>
    /// <param name="name">Lower-case, <c>[a-z][a-z0-9-]{1,40}</c>.</param>
    /// <param name="cron">Five fields, or six with seconds first.</param>
    /// <param name="misfire">What becomes of missed firings.</param>
    /// <param name="timeZone">An IANA name.</param>
    /// <param name="services">Registers what the job needs; called only in a process that runs schedules.</param>
    /// <exception cref="ArgumentException">Name, cron text or zone cannot be used.</exception>
    public ScheduleCatalogue Run<TJob>(
        string name,
        string cron,
        Misfire misfire,
        string timeZone = "UTC",
        Action<IServiceCollection, IConfiguration>? services = null
    )
        where TJob : class, IScheduledJob =>
        Add(new ScheduleEntry(name, cron, timeZone, misfire, null, typeof(TJob), services));

    private ScheduleCatalogue Add(ScheduleEntry entry)
    {
        if (!NamePattern().IsMatch(entry.Name))
            throw new ArgumentException(
                $"The name of a schedule must match [a-z][a-z0-9-]{{1,40}}, got '{entry.Name}'."
            );
        if (_schedules.Exists(s => s.Name == entry.Name))
            throw new ArgumentException($"Two schedules are called '{entry.Name}'; rename one.");
        try
        {
            CronText.Parse(entry.Cron, entry.TimeZone);
        }
        catch (FormatException unusable)
        {
            throw new ArgumentException($"Schedule '{entry.Name}': {unusable.Message}", unusable);
        }

        _schedules.Add(entry);
        return this;
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{1,40}$")]
    private static partial Regex NamePattern();
}

/// <summary>
/// One schedule of the catalogue: either <paramref name="Message"/> or <paramref name="Job"/> says what a firing does.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Cron">When, unless an operator has changed it.</param>
/// <param name="TimeZone">In which zone.</param>
/// <param name="Misfire">What becomes of missed firings.</param>
/// <param name="Message">Makes the message of a firing.</param>
/// <param name="Job">The class of the job.</param>
/// <param name="Services">Registers what the job needs.</param>
public sealed record ScheduleEntry(
    string Name,
    string Cron,
    string TimeZone,
    Misfire Misfire,
    Func<Firing, OutboxMessage>? Message,
    Type? Job,
    Action<IServiceCollection, IConfiguration>? Services
);
