using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Messaging;
using Orders.Infrastructure.Steps;
using RabbitMQ.Client.Exceptions;

namespace Orders.Infrastructure.Redrive;

/// <summary>The dry run: looks at every message that a redrive would take, and at the steps they would go to.</summary>
public sealed class RedrivePreview(
    NpgsqlDataSource database, ISubjectDirectory subjects, PayloadContract contract, PayloadEdits edits, [FromKeyedServices(FailureReconciler.Connection)] BrokerConnection broker)
{
    private const int MostExamples = 20;

    /// <summary>Makes the plan.</summary>
    /// <exception cref="InvalidFilterException">The filter cannot be used.</exception>
    public async Task<RedrivePlan> PlanAsync(RedriveRequest request, CancellationToken cancellationToken)
    {
        var candidates = await CandidatesAsync(request, cancellationToken);
        var reasons = await subjects.ReasonsNotToWorkOnAsync([.. candidates.Where(c => c.Failure.SubjectId is not null).Select(c => c.Failure.SubjectId!.Value).Distinct()], cancellationToken);
        var (send, done, pointless, invalid) = (new List<Failure>(), 0, 0, 0);
        var (problems, diffs) = (new List<PlannedSkip>(), new List<PlannedDiff>());
        var patch = request.Patch?.ToJsonString();
        foreach (var (failure, isDone, status, _) in candidates)
        {
            var reason = isDone ? "Its work is done already."
                : failure.SubjectId is { } subject && reasons.TryGetValue(subject, out var why) ? why
                : status is StepStatus.Cancelled or StepStatus.Expired or StepStatus.Skipped ? $"The step is {status}." : null;
            if (reason is not null)
                (done, pointless) = isDone ? (done + 1, pointless) : (done, pointless + 1);
            else if ((reason = ProblemOf(failure, patch, diffs)) is not null)
                invalid++;
            else
                send.Add(failure);
            if (reason is not null && problems.Count < MostExamples)
                problems.Add(new PlannedSkip(failure.Id, reason));
        }

        return new RedrivePlan(candidates.Count, send.Count, done, pointless, invalid, candidates.Count(c => c.Outstanding), await TargetsAsync(send, cancellationToken),
            Math.Ceiling((double)send.Count / request.RatePerSecond), problems, diffs);
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
                diffs.Add(new PlannedDiff(failure.Id, JsonNode.Parse(PayloadDiff.Between(failure.Payload, payload))));
            return null;
        }
        catch (InvalidPayloadException invalid)
        {
            return invalid.Message;
        }
    }

    private async Task<List<(Failure Failure, bool Done, StepStatus? Status, bool Outstanding)>> CandidatesAsync(RedriveRequest request, CancellationToken cancellationToken)
    {
        var condition = await FilterSql.OfAsync(request.Filter with { State = FailureState.Parked }, subjects, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = condition.Command(connection, $"""
            select f.id, f.kind, f.generation, f.message_id, f.step, f.message_type, f.subject_id, f.payload, f.body, f.headers,
                exists (select from idempotency d where d.message_id = f.message_id and d.step = f.step)
                    or exists (select from effects e where e.subject_id = f.subject_id and e.message_id = f.message_id and (e.step = f.step or f.step is null) and e.state = 2),
                (select s.status from step_runs s where s.subject_id = f.subject_id and s.step = f.step),
                exists (select from redrive_items i where i.failure_id = f.id and i.state in (1, 2))
            from failures f where {condition.Condition} order by f.id limit {RedriveRequest.MostMessages}
            """);
        var candidates = new List<(Failure, bool, StepStatus?, bool)>();
        await using var r = await command.ExecuteReaderAsync(cancellationToken);
        while (await r.ReadAsync(cancellationToken))
        {
            candidates.Add((new Failure
            {
                Id = r.GetGuid(0),
                Kind = (FailureKind)r.GetInt16(1),
                Generation = r.GetInt32(2),
                MessageId = r.GetGuid(3),
                Step = r.IsDBNull(4) ? null : r.GetString(4),
                MessageType = r.IsDBNull(5) ? null : r.GetString(5),
                SubjectId = r.IsDBNull(6) ? null : r.GetGuid(6),
                Payload = r.IsDBNull(7) ? null : r.GetString(7),
                Body = r.GetFieldValue<byte[]>(8),
                Headers = r.GetString(9),
            }, r.GetBoolean(10), r.IsDBNull(11) ? null : (StepStatus)r.GetInt16(11), r.GetBoolean(12)));
        }

        return candidates;
    }

    private async Task<IReadOnlyList<RedriveTarget>> TargetsAsync(List<Failure> send, CancellationToken cancellationToken)
    {
        var targets = new List<RedriveTarget>();
        foreach (var group in send.GroupBy(f => f.Step).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            if (group.Key is not { } step)
            {
                targets.Add(new RedriveTarget(null, group.Count(), null, null, true, "To the exchange of the type: all steps that consume it now get it."));
                continue;
            }

            try
            {
                var connection = await broker.OpenAsync(cancellationToken);
                await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
                var queue = await channel.QueueDeclarePassiveAsync(step, cancellationToken);
                targets.Add(new RedriveTarget(step, group.Count(), queue.MessageCount, queue.ConsumerCount, queue.ConsumerCount > 0, queue.ConsumerCount > 0 ? null : "Nobody consumes from its queue."));
            }
            catch (Exception away) when (away is RabbitMQClientException or IOException)
            {
                targets.Add(new RedriveTarget(step, group.Count(), null, null, false, $"The broker cannot be asked: {away.Message}"));
            }
        }

        return targets;
    }
}
