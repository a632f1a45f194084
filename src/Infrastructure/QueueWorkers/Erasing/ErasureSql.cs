using System.Text;
using System.Text.RegularExpressions;
using QueueWorkers.DeadLetters;

namespace QueueWorkers.Erasing;

/// <summary>
/// The framework's part of an erasure in SQL. It runs with the rights of the database's owner and writes constants
/// only: the operators' process gets the right to call it, and none to change what it changes.
/// </summary>
public static partial class ErasureSql
{
    /// <summary>What stands in place of a text that was erased.</summary>
    public const string Erased = "Erased.";

    /// <summary>What stands as the note of a failure that was erased; its message still leaves its queue by it.</summary>
    public const string Note = "Erased on request of the person.";

    /// <summary>What the operators' process needs.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    [
        "select, insert on erasures",
        "update (done, finished_at, total, waiting_for) on erasures",
        "select, insert, delete on erasure_items",
        "execute on function erase_subjects(uuid[], uuid[])",
    ];

    /// <summary>
    /// The framework's columns that may hold something about a person, as <c>table.column</c>; each is erased by
    /// <see cref="Function"/> or, where the erasure begins, by <see cref="Erasures"/>.
    /// </summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "failures.fault_message",
        "failures.stack",
        "failures.fingerprint",
        "failures.payload",
        "failures.body",
        "failures.headers",
        "failures.edit",
        "failures.note",
        "redrive_items.payload",
        "redrive_items.note",
        "redrives.filter",
        "redrives.patch",
        "redrives.reason",
        "step_runs.last_fault",
        "step_attempts.fault",
        "step_reports.activity",
        "step_reports.log",
        "step_reports.result",
        "effects.reference",
        "completeness_gaps.detail",
        "outbox.body",
        "outbox.headers",
        "outbox.last_error",
    ];

    /// <summary>
    /// The function, for the migration: all texts about some subjects, and of some failures. Counts, states, numbers
    /// and times stay. A failure that stood in a queue is put away for good, and the index takes its message out.
    /// Messages that wait in the outbox to be sent carry ids and are left; quarantined ones go.
    /// </summary>
    public static string Function { get; } =
        $"""
            create function erase_subjects(subjects uuid[], others uuid[]) returns void language plpgsql
                security definer set search_path = public, pg_temp as $f$
            declare
                erased uuid[];
                texts text[] := subjects::text[];
            begin
                update effects e set reference = null from (select subject_id, effect from effects
                    where subject_id = any(subjects) and reference is not null
                    order by subject_id, effect for no key update) l
                    where e.subject_id = l.subject_id and e.effect = l.effect;
                select coalesce(array_agg(id), '{"{}"}') into erased from (select id from failures
                    where subject_id = any(subjects) or id = any(others)
                        or queue = 'outbox' and identity in (select id from outbox where correlation_id = any(texts))
                    order by id for no key update) l;
                delete from outbox where dead_at is not null and (correlation_id = any(texts)
                    or id in (select identity from failures where id = any(erased) and queue = 'outbox'));
                update outbox set last_error = null where last_error is not null and correlation_id = any(texts);
                update failures set state = case when state in ({FailureState.Redriven:D}, {FailureState.FailedAgain:D})
                        then state else {FailureState.Archived:D} end,
                    closed_at = coalesce(closed_at, now()), restorable_until = now(),
                    removed_at = case when queue = 'outbox' or state = {FailureState.Gone:D}
                        then coalesce(removed_at, now()) else removed_at end,
                    fault_message = '{Erased}', stack = null, fingerprint = '{new string('0', 16)}', payload = null,
                    body = '', headers = '{"{}"}', edit = null, note = '{Note}'
                    where id = any(erased);
                update redrive_items set payload = null, note = null
                    where failure_id = any(erased) and (payload is not null or note is not null);
                update redrives r set patch = null where patch is not null and finished_at is not null
                    and exists (select from redrive_items i where i.redrive_id = r.id and i.failure_id = any(erased));
                update step_runs r set last_fault = '{Erased}' from (select subject_id, step from step_runs
                    where subject_id = any(subjects) and last_fault is not null
                    order by subject_id, step for no key update) l
                    where r.subject_id = l.subject_id and r.step = l.step;
                update step_attempts set fault = '{Erased}' where subject_id = any(subjects);
                update step_reports set activity = null, log = '{"{}"}', result = null where subject_id = any(subjects);
                update completeness_gaps set detail = '{Erased}' where subject_id = any(subjects);
            end $f$;
            revoke all on function erase_subjects(uuid[], uuid[]) from public;
            """;

    // A failure whose text or message quotes the person. JSON is compared as PostgreSQL writes it, without escapes; a
    // body byte by byte, since it may be no text at all. $1 is the person, in lower case, $3 its pattern.
    private static readonly string Quotes = $"""
        ({Has("concat_ws(' ', f.fault_message, f.stack, f.note, f.payload::text, f.headers::text, f.edit::text)", "$3")}
            or {Has("encode(f.body, 'escape')", "$3", "lower(encode(convert_to($1, 'UTF8'), 'escape'))")})
        """;

    // Not what an operator is sending again at this moment, nor a message of another subject that still has work to do.
    // $2 the person's own subjects, $4 dead-lettered before this moment.
    internal static readonly string Failures = $"""
        select f.id, f.subject_id, coalesce(f.subject_id = any($2), false) as own,
            f.state = {FailureState.Redriving:D} or exists (select from redrive_items i where i.failure_id = f.id
                and i.state in ({RedriveItemState.Waiting:D}, {RedriveItemState.Sent:D})) as sending,
            f.subject_id is not null and f.state = {FailureState.Failed:D} as waiting
        from failures f where f.note is distinct from '{Note}' and (f.subject_id = any($2)
            or ($4::timestamptz is null or f.first_at < $4) and {Quotes})
        """;

    private static readonly string QuotedByRedrive = Has(
        "concat_ws(' ', r.filter::text, r.reason, r.patch::text)",
        "$2"
    );

    // Without its patch the rest of a redrive would be sent as it failed.
    internal static readonly string UnfinishedRedrives =
        $"select r.id from redrives r where r.finished_at is null and {QuotedByRedrive} order by r.id";

    internal static readonly string ForgetRedrives = $$"""
        update redrives r set filter = '{}', reason = '{{Erased}}', patch = null
        where r.finished_at is not null and {{QuotedByRedrive}}
        """;

    internal static readonly string InQueues =
        $"select distinct queue from failures where note = '{Note}' and removed_at is null and queue <> 'outbox'";

    // What keeps one erasure from its end keeps all of them: a queue is looked through for all at once.
    internal static readonly string Wait = """
        update erasures set waiting_for = nullif($1, '')
        where finished_at is null and waiting_for is distinct from nullif($1, '')
        """;

    // A queue that was deleted holds nothing. Locked in the order of their ids, as by whoever sends redrives.
    internal static readonly string Lost = $"""
        update failures f set removed_at = now() from (select id from failures
            where queue = $1 and note = '{Note}' and removed_at is null order by id for no key update) l
        where f.id = l.id
        """;

    /// <summary>
    /// The person as a regular expression of PostgreSQL that does not match within a longer address, as
    /// <c>ann@example.com</c> stands in <c>joann@example.com.au</c>; null where the text itself has to do: other letters
    /// stand in a body as the numbers of their bytes. What JSON, <c>encode</c> or an address on the web writes as an
    /// escape may stand directly before.
    /// </summary>
    internal static string? PatternOf(string person) =>
        Ascii.IsValid(person) && !person.Contains('\\', StringComparison.Ordinal)
            ? @"(?:(?<![a-z0-9._%+-])|\\(?:[bfnrt]|u[0-9a-f]{4}|[0-7]{3})|%[0-9a-f]{2})"
                + Special().Replace(person.ToLowerInvariant(), @"\$0")
                + @"(?![a-z0-9-]|\.[a-z0-9])"
            : null;

    // The plain search first: it is cheap, and nearly always says no.
    private static string Has(string text, string pattern, string person = "$1") =>
        $"(position({person} in lower({text})) > 0 and ({pattern}::text is null or lower({text}) ~ {pattern}))";

    [GeneratedRegex("[^a-z0-9]", RegexOptions.CultureInvariant)]
    private static partial Regex Special();
}
