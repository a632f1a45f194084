using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using QueueWorkers.Idempotency;

namespace QueueWorkers.DeadLetters;

/// <summary>
/// The <c>failures</c> table. Its indexes answer the filters of the search, of which the state is always one, in the
/// order of time (version 7 ids): a page is read from the index and not sorted, and a span of time is a range of it.
/// The migration adds indexes on the short names of fault and message type, one of trigrams for text in fault and
/// payload, and <c>try_jsonb</c>, which turns what is no JSON for PostgreSQL into null.
/// </summary>
public sealed class FailureTable : IEntityTypeConfiguration<Failure>
{
    /// <summary>States whose message stands in its queue, or has still to be taken out of it.</summary>
    internal static readonly string InQueue = $"removed_at is null and state <> {FailureState.Gone:D}";

    /// <summary>
    /// Whether the work of a failure's message is done, as an SQL condition: it is in the idempotency table, or its
    /// effect is there. Never of a message without a step (unrouted, quarantined): that one step has done its part says
    /// nothing of the step that did not get it.
    /// </summary>
    /// <param name="row">A row with <c>message_id</c>, <c>step</c> and <c>subject_id</c>, as SQL.</param>
    internal static string IsDone(string row) =>
        $"""
            (exists (select from idempotency i where i.message_id = {row}.message_id and i.step = {row}.step)
                or exists (select from effects e where e.subject_id = {row}.subject_id
                    and e.message_id = {row}.message_id and e.step = {row}.step and e.state = {EffectState.Done:D}))
            """;

    /// <summary>
    /// Whether any step has done its part of a message without a step, as an SQL condition: then it was routed.
    /// </summary>
    /// <param name="row">A row with <c>message_id</c>, <c>step</c> and <c>subject_id</c>, as SQL.</param>
    internal static string IsRouted(string row) =>
        $"""
            ({row}.step is null and (exists (select from idempotency i where i.message_id = {row}.message_id)
                or exists (select from effects e where e.subject_id = {row}.subject_id
                    and e.message_id = {row}.message_id and e.state = {EffectState.Done:D})))
            """;

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Failure> builder)
    {
        builder.ToTable("failures");
        builder.HasKey(f => f.Id);
        builder.Property(f => f.Id).ValueGeneratedNever();
        builder.Property(f => f.Payload).HasColumnType("jsonb");
        builder.Property(f => f.Headers).HasColumnType("jsonb");
        builder.Property(f => f.Edit).HasColumnType("jsonb");
        builder
            .HasIndex(f => new
            {
                f.Queue,
                f.Identity,
                f.Generation,
            })
            .IsUnique()
            .HasDatabaseName("failures_identity");
        builder.HasIndex(f => f.MessageId).HasDatabaseName("failures_message");
        // With the subject: those of some subjects are counted without a look at the rows (a million failures, 5,500
        // subjects: 1 ms instead of 16).
        builder
            .HasIndex(f => new { f.State, f.Id })
            .IncludeProperties(f => f.SubjectId)
            .HasDatabaseName("failures_state");
        builder
            .HasIndex(f => new
            {
                f.State,
                f.Step,
                f.Id,
            })
            .IncludeProperties(f => f.SubjectId)
            .HasDatabaseName("failures_step");
        builder
            .HasIndex(f => new
            {
                f.State,
                f.Queue,
                f.Id,
            })
            .HasDatabaseName("failures_queue");
        builder
            .HasIndex(f => new
            {
                f.State,
                f.Fingerprint,
                f.Id,
            })
            .HasDatabaseName("failures_fingerprint");
        builder
            .HasIndex(f => new
            {
                f.State,
                f.Build,
                f.Id,
            })
            .HasDatabaseName("failures_build");
        builder.HasIndex(f => new { f.SubjectId, f.Id }).HasDatabaseName("failures_subject");
        builder
            .HasIndex(f => f.Payload)
            .HasMethod("gin")
            .HasOperators("jsonb_path_ops")
            .HasDatabaseName("failures_payload");
        // What the indexer compares with the queues, and what it has still to take out of them.
        builder
            .HasIndex(f => new
            {
                f.Queue,
                f.State,
                f.Copies,
            })
            .HasFilter(InQueue)
            .HasDatabaseName("failures_in_queue");
        builder.HasIndex(f => f.ClosedAt).HasFilter("closed_at is not null").HasDatabaseName("failures_closed");
        builder
            .HasIndex(f => f.RestorableUntil)
            .HasFilter($"state in ({FailureState.Archived:D})")
            .HasDatabaseName("failures_archived");
    }
}
