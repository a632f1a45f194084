using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using QueueWorkers.Outbox;
using QueueWorkers.Scheduling.Changeable;

namespace QueueWorkers.Scheduling;

/// <summary>
/// The list of schedules: what recurs, when, and what it does. The deployment writes it into the database, where
/// operators pause and change it.
/// </summary>
public sealed partial class ScheduleCatalogue
{
    private readonly List<ScheduleEntry> _schedules = [];
    private readonly List<ChangeableEntry> _kinds = [];

    /// <summary>All schedules, in the order in which they were added.</summary>
    public IReadOnlyList<ScheduleEntry> Schedules => _schedules;

    /// <summary>The kinds of schedules that operators create at run time.</summary>
    public IReadOnlyList<ChangeableEntry> Kinds => _kinds;

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

    /// <summary>
    /// Declares a kind of schedule: operators create, change and delete schedules of it at run time, each with a cron
    /// text, a zone and a payload of its own. Firings are those of <see cref="Publish{TMessage}"/>: once, in the
    /// transaction of the message.
    /// </summary>
    /// <param name="name">Lower-case, <c>[a-z][a-z0-9-]{1,40}</c>; the names of its schedules begin with it.</param>
    /// <param name="about">A sentence for operators: what a firing does.</param>
    /// <param name="fields">What operators fill in. No personal data.</param>
    /// <param name="message">Makes the message of a firing from the payload.</param>
    /// <param name="smallestInterval">The shortest time between two firings; null for 1
    /// minute.</param>
    /// <param name="most">The most schedules of this kind.</param>
    /// <exception cref="ArgumentException">The declaration cannot be used.</exception>
    public ScheduleCatalogue Changeable<TMessage>(
        string name,
        string about,
        IReadOnlyList<ScheduleField> fields,
        Func<Firing, SchedulePayload, TMessage> message,
        TimeSpan? smallestInterval = null,
        int most = 100
    )
        where TMessage : class
    {
        CheckName(name);
        var kind = new ScheduleKind(
            name,
            about,
            typeof(TMessage).Name,
            fields,
            smallestInterval ?? ScheduleKind.UsualInterval,
            most
        );
        if (kind.Problem() is { } problem)
            throw new ArgumentException($"The kind of schedules '{name}': {problem}.");
        _kinds.Add(
            new ChangeableEntry(
                kind,
                (firing, payload) => OutgoingMessage.Create(message(firing, payload), firing.Id, id: firing.Id)
            )
        );
        return this;
    }

    private ScheduleCatalogue Add(ScheduleEntry entry)
    {
        CheckName(entry.Name);
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

    private void CheckName(string name)
    {
        if (!NamePattern().IsMatch(name))
            throw new ArgumentException($"The name of a schedule must match [a-z][a-z0-9-]{{1,40}}, got '{name}'.");
        if (_schedules.Exists(s => s.Name == name) || _kinds.Exists(k => k.Kind.Name == name))
            throw new ArgumentException($"Two schedules are called '{name}'; rename one.");
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

/// <summary>A kind of schedules, and what makes the message of a firing.</summary>
/// <param name="Kind">What operators see of it.</param>
/// <param name="Message">Makes the message.</param>
public sealed record ChangeableEntry(ScheduleKind Kind, Func<Firing, SchedulePayload, OutboxMessage> Message);
