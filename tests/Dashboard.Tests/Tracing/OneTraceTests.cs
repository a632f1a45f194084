using Orders.Infrastructure;
using Orders.Testing.Tracing;
using QueueWorkers.DeadLetters;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Tracing;

/// <summary>
/// An order whose mail fails twice and more, is redelivered, is dead-lettered, and is redriven after a restart of the
/// worker: one trace, from the request to the mail. Exported to memory.
/// </summary>
internal sealed class OneTraceTests : ShopFixture
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Test]
    public async Task An_order_that_fails_twice_is_redelivered_and_redriven_after_a_restart_has_one_trace()
    {
        using var traces = new InMemoryTraces();
        await using var api = await ShopApi.StartAsync(TestSystem);
        await BehaveAsync(new { smtp = new { mode = "fullmailbox" } });
        var order = Guid.Empty;
        await using (await WorkAsync("*"))
        {
            await api.PostAsync("zoe@example.com");
            order = await TestSystem.Database.ScalarAsync<Guid>("select id from orders");
            await TestSystem.EventuallyFastForwardingAsync(
                () => TestSystem.AttemptsAsync(order, "email"),
                Is.AtLeast(2),
                "attempts on the mail",
                Patience
            );
            await BehaveAsync(new { smtp = new { mode = "reject" } });
            await TestSystem.EventuallyFastForwardingAsync(
                () => TestSystem.StatusAsync(order, "email"),
                Is.EqualTo(StepStatus.Failed),
                "status of the mail",
                Patience
            );
            // Recorded first, and then moved: a worker that stops in between leaves the move to the next one.
            await Eventually.That(
                () => TestSystem.Broker.CountAsync("email_error"),
                Is.EqualTo(1u),
                "messages in email_error"
            );
        }

        var failed = await TestSystem.AttemptsAsync(order, "email");
        await BehaveAsync(new { smtp = new { mode = "ok" } });
        await using var restarted = await WorkAsync("*");
        await UntilFailuresAsync(FailureState.Failed, 1);
        var redrive = await PostAsync(
            "/api/redrives",
            OperatorsKey,
            new
            {
                filter = new { step = "email" },
                reason = "The mail server takes this address again.",
                start = true,
                expect = 1,
            }
        );
        Assert.That(redrive.Status, Is.EqualTo(201), redrive.ToString());
        await TestSystem.UntilAsync(order, OrderStatus.Completed, Patience);
        await Eventually.Is(
            () => OneTrace.IsComplete(TraceTree.About(traces.Spans, order)),
            "all of the order's trace is exported",
            Patience
        );

        var trace = TraceTree.About(traces.Spans, order);
        await TestContext.Out.WriteLineAsync(trace.ToString());
        OneTrace.Verify(trace, failed);
    }
}
