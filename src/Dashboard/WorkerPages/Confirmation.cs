using Orders.Dashboard.Viewing;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.WorkerPages;

/// <summary>
/// What an operator is told after a change that worker processes have to read: how many have read it, on the pages and
/// by the operator API in the same words.
/// </summary>
/// <param name="Workers">Processes that the change concerns.</param>
/// <param name="Answered">How many of them have read it.</param>
/// <param name="Silent">The hosts of the others.</param>
/// <param name="Summary">All of it in a sentence or two.</param>
internal sealed record Confirmation(int Workers, int Answered, IReadOnlyList<string> Silent, string Summary)
{
    /// <summary>Of a change to a step; null for one that concerns all processes.</summary>
    public static async Task<Confirmation> OfStepAsync(
        WorkerAcknowledgements acknowledgements,
        string? step,
        string done,
        CancellationToken cancellationToken
    ) => Of(await acknowledgements.OfStepAsync(step, cancellationToken), a => a.Confirm(done));

    /// <summary>Of a drain, or of its end.</summary>
    public static async Task<Confirmation> OfWorkerAsync(
        WorkerAcknowledgements acknowledgements,
        WorkerReader workers,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        var acknowledgement = await acknowledgements.OfWorkerAsync(id, cancellationToken);
        // While the database does not answer, to ask once more would fail after the change was made.
        return acknowledgement.Fault is null && await workers.FindAsync(id, cancellationToken) is { } worker
            ? Of(acknowledgement, a => Describe(worker, a))
            : Of(acknowledgement, a => a.Confirm($"Worker {id} is changed"));
    }

    private static string Describe(Worker worker, Acknowledgement answer)
    {
        if (answer.Answered == 0)
        {
            var silence =
                answer.Workers == 0
                    ? $"{worker.Host} has not reported itself since {Texts.Utc(worker.LastSeenAt)}"
                    : $"{worker.Host} did not answer within {WorkerAcknowledgements.Patience.TotalSeconds:0} s";
            return worker.DrainAskedAt is null
                ? $"{silence}; it takes messages again once it reads the change."
                : $"{silence}; it takes nothing more once it reads the change.";
        }

        return worker switch
        {
            { DrainAskedAt: null } => $"{worker.Host} takes messages again.",
            { IsDrained: true } => $"{worker.Host} is drained: it takes nothing more and has nothing left.",
            _ =>
                $"{worker.Host} takes nothing more; {Texts.Many(worker.Running, "run")} under way. The page Workers says when it is drained.",
        };
    }

    private static Confirmation Of(Acknowledgement answer, Func<Acknowledgement, string> summary) =>
        new(answer.Workers, answer.Answered, answer.Silent, summary(answer));
}
