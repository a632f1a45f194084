using QueueWorkers.Outbox;
using QueueWorkers.Scheduling.Changeable;

namespace QueueWorkers.Scheduling.Firings;

/// <summary>Makes the messages of firings, by the schedule's code or by its kind's and the operator's payload.</summary>
internal sealed class FiringMessages(ScheduleCatalogue catalogue)
{
    private readonly Dictionary<string, Func<Firing, OutboxMessage>> _ofSchedules = catalogue
        .Schedules.Where(s => s.Message is not null)
        .ToDictionary(s => s.Name, s => s.Message!);
    private readonly Dictionary<string, ChangeableEntry> _ofKinds = catalogue.Kinds.ToDictionary(k => k.Kind.Name);

    /// <summary>The schedules of the code that publish a message.</summary>
    public string[] Schedules { get; } = [.. catalogue.Schedules.Where(s => s.Message is not null).Select(s => s.Name)];

    /// <summary>The message of a firing.</summary>
    /// <exception cref="FormatException">The payload does not fit the kind of this version, or the kind's code cannot
    /// make a message of it.</exception>
    public OutboxMessage Of(WaitingFiring firing)
    {
        if (firing.Kind is null)
            return _ofSchedules[firing.Firing.Schedule](firing.Firing);
        var (kind, message) = _ofKinds[firing.Kind];
        var payload = SchedulePayload.Parse(kind, firing.Payload ?? "{}");
        try
        {
            return message(firing.Firing, payload);
        }
#pragma warning disable CA1031 // Whatever the code of a kind throws is about this payload: it is logged, others fire.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            throw new FormatException(
                $"The code of the kind '{kind.Name}' cannot make a message of it: {fault.GetType().Name}: {fault.Message}",
                fault
            );
        }
    }
}
