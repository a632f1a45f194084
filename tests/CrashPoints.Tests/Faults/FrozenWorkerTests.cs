using System.Globalization;
using Orders.CrashPoints.Tests.Lanes;
using Orders.OutsideWorld.Mails;
using Orders.Testing;

namespace Orders.CrashPoints.Tests.Faults;

/// <summary>
/// A worker that stands still in the middle of its work (a paused container, a machine that swaps) and wakes up when
/// another worker has done that work:
/// what it still had in its hands must not be done a second time. The freeze lasts as long as it takes the broker and
/// the others to give the worker up.
/// </summary>
[Parallelizable(ParallelScope.All)]
[Category("Long")]
public sealed class FrozenWorkerTests
{
    private const int Tries = 5;

    // Frozen before its mail has begun: after the thaw its lease has ended. Frozen in its commit: after the thaw its
    // transaction is gone.
    [TestCase("email.before_send")]
    [TestCase("steps.before_commit")]
    [TestCase("warehouse.before_post")]
    public async Task What_a_frozen_worker_had_in_its_hands_is_done_once(string failpoint)
    {
        await using var lane = await Lane.CreateAsync();
        var orders = await FreezeAsync(lane, failpoint);

        await using (var other = lane.StartAnotherWorker())
        {
            await other.UntilReadyAsync();
            foreach (var order in orders)
                await lane.UntilRightAsync(order, TimeSpan.FromSeconds(120));
        }

        await lane.Workers.ThawAsync();
        await lane.Workers.UntilReadyAsync();
        // It works again, with everything behind it that it wanted to do.
        orders.Add(await lane.PostAsync(new PostedOrder()));
        foreach (var order in orders)
            await lane.UntilRightAsync(order);
        await lane.VerifyInvariantsAsync();
    }

    [Test]
    public async Task Frozen_for_forty_seconds_under_load_and_thawed_it_consumes_no_attempt_and_does_nothing_twice()
    {
        await using var lane = await Lane.CreateAsync();
        await using var other = lane.StartAnotherWorker();
        await other.UntilReadyAsync();
        using var enough = new CancellationTokenSource();
        var orders = new List<PostedOrder>();
        var load = LoadAsync();
        await Eventually.That(() => orders.Count, Is.GreaterThan(10), "orders before the freeze");
        await lane.Workers.FreezeAsync();
        // Longer than heartbeats, leases and the transaction limit.
        await Task.Delay(TimeSpan.FromSeconds(40));
        await lane.Workers.ThawAsync();
        await lane.Workers.UntilReadyAsync();
        var thawed = orders.Count;
        await Eventually.That(() => orders.Count, Is.GreaterThan(thawed + 10), "orders after the thaw");
        await enough.CancelAsync();
        await load;
        foreach (var order in orders)
            await lane.UntilRightAsync(order, TimeSpan.FromSeconds(120));
        Assert.That(
            await lane.TestSystem.Database.CountAsync("step_runs where attempts > 1"),
            Is.Zero,
            "steps that needed another attempt"
        );
        await lane.VerifyInvariantsAsync();

        async Task LoadAsync()
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            while (!enough.IsCancellationRequested && await timer.WaitForNextTickAsync(CancellationToken.None))
                orders.Add(await lane.PostAsync(new PostedOrder()));
        }
    }

    // The failpoint holds the worker for a moment; that moment is when it freezes. On a busy machine it may have gone
    // on: then another order.
    private static async Task<List<PostedOrder>> FreezeAsync(Lane lane, string failpoint)
    {
        var orders = new List<PostedOrder>();
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            await lane.Workers.ArmAsync(string.Create(CultureInfo.InvariantCulture, $"{failpoint}=delay@1"));
            var order = new PostedOrder();
            orders.Add(order);
            var posting = lane.PostAsync(order);
            await Eventually.Is(() => lane.Workers.HasFired(failpoint), $"'{failpoint}' fires");
            await lane.Workers.FreezeAsync();
            await posting;
            if (await Traces.OfAsync(lane, order) != Traces.ExpectedOf(order) && IsBefore(lane, failpoint, order))
                return orders;
            await lane.Workers.ThawAsync();
            await lane.UntilRightAsync(order);
        }

        throw new AssertionException(
            $"The worker was frozen {Tries} times, each time after the work of '{failpoint}' was done."
        );
    }

    private static bool IsBefore(Lane lane, string failpoint, PostedOrder order) =>
        failpoint switch
        {
            "email.before_send" => lane.World.Mails.Find(new MailQuery { To = order.Mail }).Count == 0,
            "warehouse.before_post" => lane.World.Warehouse.Of(order.Id.ToString()).Count == 0,
            _ => true,
        };
}
