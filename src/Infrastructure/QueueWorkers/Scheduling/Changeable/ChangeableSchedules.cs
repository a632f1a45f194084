using Npgsql;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling.Firings;

namespace QueueWorkers.Scheduling.Changeable;

/// <summary>
/// Schedules that operators create, change and delete at run time. Works from any process: the rows tell those that
/// fire. Each action is committed together with its audit record, or not at all.
/// The row's lock decides between an operator and a process that fires: a change or a deletion waits for the firing in
/// hand and its message.
/// </summary>
public sealed class ChangeableSchedules(NpgsqlDataSource database)
{
    // As ScheduleOptions.MisfireAfter is by default: who changes a schedule does not know the workers' settings.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(10);

    /// <summary>The kinds of the deployed version.</summary>
    public async Task<IReadOnlyList<ScheduleKind>> KindsAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await ChangeQueries.KindsAsync(connection, cancellationToken);
    }

    /// <summary>Creates a schedule.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="name">Its own name, without the kind.</param>
    /// <param name="draft">When it fires, and with what.</param>
    /// <param name="audit">Who does it; gets action and target.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Its full name and revision.</returns>
    /// <exception cref="ScheduleRefusedException">It cannot be created; says why.</exception>
    public async Task<(string Name, Guid Revision)> CreateAsync(
        string kind,
        string name,
        ScheduleDraft draft,
        Func<string, AuditEntry> audit,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var known = await KindAsync(connection, kind, ScheduleRefusal.Invalid, cancellationToken);
        var problems = new List<ScheduleProblem>();
        if (!ScheduleKind.IsOwnName(name))
            problems.Add(
                new ScheduleProblem(
                    "name",
                    $"Expected lower-case letters, digits and dashes, at most 41, a letter first, found '{Short(name)}'."
                )
            );
        var (cron, payload) = Checked(draft, known, problems);
        // One at a time of a kind: two who create the last one allowed would both find room.
        if (await ChangeQueries.CountAsync(connection, kind, cancellationToken) >= known.Most)
            throw new ScheduleRefusedException(
                ScheduleRefusal.Conflict,
                [
                    new ScheduleProblem(
                        "kind",
                        $"Expected at most {known.Most} schedules of the kind '{kind}', found as many. Delete one first."
                    ),
                ]
            );
        var full = known.NameOf(name);
        if (
            await ChangeQueries.InsertAsync(connection, full, kind, draft, cron, payload, cancellationToken)
            is not { } revision
        )
            throw new ScheduleRefusedException(
                ScheduleRefusal.Conflict,
                [new ScheduleProblem("name", $"There is a schedule '{full}' already. Choose another name.")]
            );
        await AuditLog.WriteAsync(connection, audit(Described(full, draft, payload)), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (full, revision);
    }

    /// <summary>
    /// Changes a schedule. A firing that was due before and is not made yet is made, with the new payload. A new cron
    /// text or zone counts from now.
    /// </summary>
    /// <param name="name">Its full name.</param>
    /// <param name="revision">The revision that the operator has seen; null for whichever there is.</param>
    /// <param name="change">Makes the new draft of the present one.</param>
    /// <param name="audit">Who does it; gets the target.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The new revision.</returns>
    /// <exception cref="ScheduleRefusedException">It cannot be changed; says why.</exception>
    public async Task<Guid> ChangeAsync(
        string name,
        Guid? revision,
        Func<ScheduleDraft, ScheduleDraft> change,
        Func<string, AuditEntry> audit,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var present = await LockAsync(connection, name, revision, cancellationToken);
        var kind = await KindAsync(connection, present.Kind, ScheduleRefusal.Conflict, cancellationToken);
        var draft = change(present.Draft);
        var (cron, payload) = Checked(draft, kind, []);
        DateTimeOffset? next = present.NextDueAt;
        var leftOut = 0;
        var keepsTime = (draft.Cron, draft.TimeZone) == (present.Draft.Cron, present.Draft.TimeZone);
        if (!present.IsActive || !keepsTime)
        {
            if (present.IsActive && !present.IsPaused)
                leftOut = await MakeDueAsync(connection, name, present, cancellationToken);
            next = cron.After(present.ReadAt);
        }

        var made = await ChangeQueries.UpdateAsync(connection, name, draft, payload, next, leftOut, cancellationToken);
        await AuditLog.WriteAsync(connection, audit(Described(name, draft, payload)), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return made;
    }

    /// <summary>
    /// Deletes a schedule. What it has fired stays in its history; what somebody asked for and nobody has begun goes
    /// with it.
    /// </summary>
    /// <param name="name">Its full name.</param>
    /// <param name="revision">The revision that the operator has seen; null for whichever there is.</param>
    /// <param name="audit">Who does it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="ScheduleRefusedException">It cannot be deleted; says why.</exception>
    public async Task DeleteAsync(string name, Guid? revision, AuditEntry audit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockAsync(connection, name, revision, cancellationToken);
        await ChangeQueries.DeleteAsync(connection, name, cancellationToken);
        await AuditLog.WriteAsync(connection, audit, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    // Under the old text, at the moments at which it was due.
    private static async Task<int> MakeDueAsync(
        NpgsqlConnection connection,
        string name,
        PresentSchedule present,
        CancellationToken cancellationToken
    )
    {
        CronText old;
        try
        {
            old = CronText.Parse(present.Draft.Cron, present.Draft.TimeZone);
        }
        catch (FormatException)
        {
            // Its zone is unknown here, which may be why it is changed: it names no moments.
            return 0;
        }

        var leftOut = 0;
        var next = present.NextDueAt;
        while (next is { } due && due <= present.ReadAt)
        {
            var plan = FiringPlan.Of(old, present.Draft.Misfire, due, present.ReadAt, Tolerance);
            await ChangeQueries.FireAsync(connection, name, plan.Due, cancellationToken);
            leftOut += plan.LeftOut;
            next = plan.Next;
        }

        return leftOut;
    }

    private static async Task<PresentSchedule> LockAsync(
        NpgsqlConnection connection,
        string name,
        Guid? revision,
        CancellationToken cancellationToken
    )
    {
        var present =
            await ChangeQueries.LockAsync(connection, name, cancellationToken)
            ?? throw new ScheduleRefusedException(
                ScheduleRefusal.NotFound,
                [
                    new ScheduleProblem(
                        "name",
                        $"There is no schedule '{Short(name)}' that operators have created. GET /api/schedules lists all; one without a kind belongs to the code."
                    ),
                ]
            );
        return revision is null || revision == present.Revision
            ? present
            : throw new ScheduleRefusedException(
                ScheduleRefusal.Stale,
                [
                    new ScheduleProblem(
                        "revision",
                        $"Somebody has changed '{name}' since you read it: expected revision {present.Revision}, found {revision}. Read it again, then repeat the change."
                    ),
                ]
            );
    }

    private static async Task<ScheduleKind> KindAsync(
        NpgsqlConnection connection,
        string name,
        ScheduleRefusal otherwise,
        CancellationToken cancellationToken
    )
    {
        var all = await ChangeQueries.KindsAsync(connection, cancellationToken);
        return all.FirstOrDefault(k => k.Name == name)
            ?? throw new ScheduleRefusedException(
                otherwise,
                [
                    new ScheduleProblem(
                        "kind",
                        $"Expected a kind of schedules of this version ({(all.Count == 0 ? "there is none" : string.Join(", ", all.Select(k => k.Name)))}), found '{Short(name)}'."
                    ),
                ]
            );
    }

    private static (CronText Cron, SchedulePayload Payload) Checked(
        ScheduleDraft draft,
        ScheduleKind kind,
        List<ScheduleProblem> problems
    )
    {
        var (cron, payload) = draft.Check(kind, problems);
        return problems.Count == 0
            ? (cron!, payload)
            : throw new ScheduleRefusedException(ScheduleRefusal.Invalid, problems);
    }

    // The names of the fields and not their values: the record is kept for ever.
    private static string Described(string name, ScheduleDraft draft, SchedulePayload payload) =>
        $"schedule {name}: {draft.Cron}, {draft.TimeZone}, {draft.Misfire}; payload: {(payload.Fields.Count == 0 ? "none" : string.Join(", ", payload.Fields))}";

    private static string Short(string text) => text.Length <= 60 ? text : $"{text[..60]}…";
}
