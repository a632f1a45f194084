using System.Diagnostics;

namespace Orders.Testing.Tracing;

/// <summary>
/// What has to hold of the trace of an order whose mail failed several times, was redelivered each time, was
/// dead-lettered, and was redriven by other processes.
/// </summary>
public static class OneTrace
{
    private static readonly string[] Effects = ["read order", "claim effect", "smtp send", "commit step"];
    private static readonly ActivityKind[] Producer = [ActivityKind.Producer];

    /// <summary>Whether the redriven attempt, its effects and all that was sent have arrived.</summary>
    public static bool IsComplete(TraceTree trace) =>
        trace.Named("process email") is [.., var last]
        && last["queueworkers.outcome"] == "done"
        && trace.Named("smtp send").Any(s => s.ParentId == last.SpanId)
        && trace.Named("process invoice").Count > 0
        && trace.Named("process warehouse").Any(w => trace.Below(w).Any(s => s.Name == "POST"))
        && trace.Roots.Count == 1;

    /// <summary>Checks it.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="failed">How many attempts on the mail have failed.</param>
    public static void Verify(TraceTree trace, int failed)
    {
        Assert.That(trace.Roots.Select(s => s.Name), Has.Exactly(1).Items, "roots");
        Assert.That(trace.Roots[0].Name, Does.StartWith("POST").And.Contain("orders"), "the root is the request");
        Assert.That(trace.Orphans.Select(s => s.Name), Is.Empty, "spans whose parent is missing");

        var created = trace.Named("create Orders.Contracts:OrderAccepted");
        Assert.That(created.Select(s => s.Kind), Is.EqualTo(Producer), "the order's message");
        Assert.That(created[0].ParentId, Is.EqualTo(trace.Roots[0].SpanId));

        // A copy that the relay has sent once more is dropped, and has a span all the same. So has a retry that the
        // budget puts off for a moment; the next attempt is linked to it.
        SeenSpan[] chain = [.. trace.Named("process email").Where(s => s["queueworkers.outcome"] != "duplicate")];
        Assert.That(
            chain
                .Where(s => s["queueworkers.outcome"] != "deferred")
                .Select(s => (s.Kind, s["queueworkers.outcome"], s.IsError)),
            Is.EqualTo(
                Enumerable
                    .Repeat((ActivityKind.Consumer, "failed", true), failed)
                    .Append((ActivityKind.Consumer, "done", false))
            ),
            "attempts on the mail"
        );
        Assert.That(chain.Select(s => s.ParentId), Is.All.EqualTo(created[0].SpanId), "attempts have one parent");
        Assert.That(
            chain.SelectMany(s => s.Links),
            Is.EqualTo(chain.SkipLast(1).Select(s => (s.TraceId, s.SpanId))),
            "each attempt is linked to the one before"
        );

        // To all steps, redelivered after each failure but the last, redriven once.
        Assert.That(trace.Named("send Orders.Contracts:OrderAccepted"), Has.Count.AtLeast(1), "sent to all steps");
        Assert.That(trace.Named("send email"), Has.Count.AtLeast(failed), "redelivered and redriven");
        foreach (var sent in trace.Spans.Where(s => s.Name.StartsWith("send ", StringComparison.Ordinal)))
            Assert.That(
                (sent.Kind, sent["messaging.system"], sent["messaging.operation.type"]),
                Is.EqualTo((ActivityKind.Client, "rabbitmq", "send")),
                sent.Name
            );

        var last = chain[^1];
        Assert.That(
            (
                last["messaging.system"],
                last["messaging.operation.type"],
                last["messaging.destination.name"],
                Guid.TryParse(last["messaging.message.id"], out _)
            ),
            Is.EqualTo(("rabbitmq", "process", "email", true))
        );
        Assert.That(
            trace.Below(last).Select(s => s.Name).Intersect(Effects),
            Is.EqualTo(Effects),
            "what the last attempt did, in order"
        );
        var warehouse = trace.Named("process warehouse").First(s => s["queueworkers.outcome"] == "done");
        Assert.That(trace.Below(warehouse).Select(s => s.Name), Does.Contain("POST"), "the call of the warehouse");
        Assert.That(trace.Named("commit order"), Has.Count.EqualTo(1), "the order's own commit");
        Assert.That(
            trace.Spans.SelectMany(s => s.Tags.Values.Append(s.Name)),
            Has.None.Contains("@").And.None.Contains("Müller").And.None.Contains("Hafenstr"),
            "personal data"
        );
    }
}
