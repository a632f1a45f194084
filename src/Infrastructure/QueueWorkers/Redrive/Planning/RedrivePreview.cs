using System.Data;
using System.Text.Json.Nodes;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Redrive.Payloads;

namespace QueueWorkers.Redrive.Planning;

/// <summary>The dry run: looks at every message that a redrive would take, and at the steps they would go to.</summary>
public sealed class RedrivePreview(
    NpgsqlDataSource database,
    ISubjectDirectory subjects,
    PayloadContract contract,
    PayloadEdits edits,
    RedriveTargets targets
)
{
    private const int MostExamples = 20;

    /// <summary>Makes the plan.</summary>
    /// <exception cref="InvalidFilterException">The filter cannot be used.</exception>
    public async Task<RedrivePlan> PlanAsync(RedriveRequest request, CancellationToken cancellationToken)
    {
        var candidates = await CandidatesAsync(request, cancellationToken);
        var reasons = await subjects.ReasonsNotToWorkOnAsync(
            [
                .. candidates
                    .Where(c => c.Failure.SubjectId is not null)
                    .Select(c => c.Failure.SubjectId!.Value)
                    .Distinct(),
            ],
            cancellationToken
        );
        var (send, done, pointless, invalid) = (new List<Failure>(), 0, 0, 0);
        var (problems, diffs) = (new List<PlannedSkip>(), new List<PlannedDiff>());
        var patch = request.Patch?.ToJsonString();
        foreach (var (failure, blocker, _) in candidates)
        {
            var reason = blocker.Reason(failure, reasons);
            if (reason is not null)
                (done, pointless) = blocker.Done ? (done + 1, pointless) : (done, pointless + 1);
            else if ((reason = ProblemOf(failure, patch, diffs)) is not null)
                invalid++;
            else
                send.Add(failure);
            if (reason is not null && problems.Count < MostExamples)
                problems.Add(new PlannedSkip(failure.Id, reason));
        }

        return new RedrivePlan(
            candidates.Count,
            send.Count,
            done,
            pointless,
            invalid,
            candidates.Count(c => c.Outstanding),
            await targets.OfAsync(send, cancellationToken),
            Math.Ceiling((double)send.Count / request.RatePerSecond),
            problems,
            diffs
        );
    }

    private string? ProblemOf(Failure failure, string? patch, List<PlannedDiff> diffs)
    {
        if (failure.Kind == FailureKind.Quarantined && patch is null)
            return null;
        try
        {
            var payload = patch is null ? null : edits.Patch(failure, patch);
            if (contract.ProblemOf(failure.MessageType, payload ?? failure.Payload) is { } problem)
                return problem;
            RedriveEnvelope.Rewrite(failure, payload, failure.Generation + 1);
            if (payload is not null && diffs.Count < MostExamples)
                diffs.Add(
                    new PlannedDiff(
                        failure.Id,
                        failure.MessageType,
                        JsonNode.Parse(PayloadDiff.Between(failure.Payload, payload))
                    )
                    {
                        Before = failure.Payload is null ? null : JsonNode.Parse(failure.Payload),
                    }
                );
            return null;
        }
        catch (InvalidPayloadException invalid)
        {
            return invalid.Message;
        }
    }

    private async Task<List<(Failure Failure, RedriveBlocker Blocker, bool Outstanding)>> CandidatesAsync(
        RedriveRequest request,
        CancellationToken cancellationToken
    )
    {
        var condition = await FilterSql.OfAsync(
            request.Filter with
            {
                State = FailureState.Failed,
            },
            subjects,
            cancellationToken
        );
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = condition.Command(
            connection,
            $"""
            select f.id, f.kind, f.generation, f.message_id, f.step, f.message_type, f.subject_id, f.payload, f.body,
                f.headers,
                {RedriveBlocker.Columns},
                exists (select from redrive_items i where i.failure_id = f.id
                    and i.state in ({RedriveItemState.Waiting:D}, {RedriveItemState.Sent:D})) as is_outstanding
            from failures f where {condition.Condition} order by f.id limit {RedriveRequest.MostMessages}
            """
        );
        var candidates = new List<(Failure, RedriveBlocker, bool)>();
        await using var r = await command.ExecuteReaderAsync(cancellationToken);
        while (await r.ReadAsync(cancellationToken))
        {
            candidates.Add(
                (
                    new Failure
                    {
                        Id = r.GetGuid("id"),
                        Kind = (FailureKind)r.GetInt16("kind"),
                        Generation = r.GetInt32("generation"),
                        MessageId = r.GetGuid("message_id"),
                        Step = r.OptionalText("step"),
                        MessageType = r.OptionalText("message_type"),
                        SubjectId = r.Optional<Guid>("subject_id"),
                        Payload = r.OptionalText("payload"),
                        Body = r.GetFieldValue<byte[]>("body"),
                        Headers = r.GetString("headers"),
                        State = FailureState.Failed,
                    },
                    RedriveBlocker.Read(r),
                    r.GetBoolean("is_outstanding")
                )
            );
        }

        return candidates;
    }
}
