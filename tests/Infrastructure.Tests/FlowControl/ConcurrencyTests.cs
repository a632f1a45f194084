using Orders.Testing;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>How many runs there are at a time can be changed while they run, for one replica and over all.</summary>
public sealed class ConcurrencyTests : WithReplicas
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _held = new();
    private int _running;
    private int _most;

    [SetUp]
    public void CountFromNothing() => (_running, _most, _held) = (0, 0, new TaskCompletionSource());

    [Test]
    public async Task A_limit_of_a_replica_is_lowered_and_raised_while_it_runs()
    {
        await StartAsync(1, "hurried", WorkAsync);
        await DeliverAsync("hurried", 60);
        await Eventually.That(Running, Is.EqualTo(5), "runs at a time, as the policy says");
        Assert.That(Most(), Is.EqualTo(5), "most runs at a time, as the policy says");

        // All that run now end; the next ones are held again.
        await ChangeAsync(perReplica: 2, total: null, limits: [2]);
        LetGo();
        await Eventually.That(() => Begun.Count, Is.EqualTo(7), "runs begun: five, and two with the new limit");
        await Eventually.That(Running, Is.EqualTo(2), "runs at a time with the new limit");
        Assert.That(Most(), Is.EqualTo(2), "most runs at a time with the new limit");

        await ChangeAsync(perReplica: 9, total: null, limits: [9]);
        await Eventually.That(Running, Is.EqualTo(9), "runs at a time with a limit above the policy's");

        await ChangeAsync(perReplica: null, total: null, limits: [5]);
        Assert.That(Most(), Is.EqualTo(9), "most runs at a time with a limit above the policy's");
        LetGo(forGood: true);
        await UntilDoneAsync("hurried", 60);
        Assert.That(Most(), Is.AtMost(5), "most runs at a time in the end");
        Assert.That(Begun, Has.Count.EqualTo(60), "runs: none was begun twice");
    }

    [Test]
    public async Task A_limit_over_all_replicas_is_divided_among_the_living()
    {
        await Controls.SetConcurrencyAsync("patient", null, 4, Because("a test"));
        await StartAsync(3, "patient", WorkAsync);
        await Eventually.That(() => Limits("patient"), Is.EquivalentTo([2, 1, 1]), "shares of three replicas");
        await DeliverAsync("patient", 200);
        await Eventually.That(Running, Is.EqualTo(4), "runs at a time over all replicas");
        Assert.That(Most(), Is.EqualTo(4), "most runs at a time over all replicas");

        LetGo(forGood: true);
        await Replicas[0].StopAsync();
        await Eventually.That(
            () => Limits("patient").Skip(1),
            Is.EquivalentTo([2, 2]),
            "shares of the two that are left"
        );
        await UntilDoneAsync("patient", 200);
        Assert.That(Most(), Is.AtMost(4), "most runs at a time, at any moment, while replicas came and went");
    }

    [Test]
    public async Task A_limit_that_is_raised_lets_others_begin_beside_runs_that_last()
    {
        var release = new TaskCompletionSource();
        await Controls.SetConcurrencyAsync("hurried", 1, null, Because("a test"));
        await StartAsync(1, "hurried", (_, _) => Begun.Count == 1 ? release.Task : Task.CompletedTask);
        await DeliverAsync("hurried", 30);
        await Eventually.That(() => Begun.Count, Is.EqualTo(1), "runs begun with a limit of one");

        await ChangeAsync(perReplica: 3, total: null, limits: [3]);
        await UntilDoneAsync("hurried", 29);
        Assert.That(release.Task.IsCompleted, Is.False);
        release.SetResult();
        await UntilDoneAsync("hurried", 30);
        Assert.That(Begun, Has.Count.EqualTo(30), "runs: none was begun twice");
    }

    [Test]
    public void No_limit_is_below_one() =>
        Assert.That(
            () => Controls.SetConcurrencyAsync("hurried", 0, null, Because("a test")),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("pause")
        );

    private int[] Limits(string step) => [.. Replicas.Select(r => GateOf(r, step).Limit)];

    private async Task ChangeAsync(int? perReplica, int? total, int[] limits)
    {
        await Controls.SetConcurrencyAsync("hurried", perReplica, total, Because("a test"));
        await Eventually.That(() => Limits("hurried"), Is.EqualTo(limits), "limits of the gates");
    }

    // A run lasts until it is let go: how many there are at a time depends on no machine's pace.
    private async Task WorkAsync(Guid subject, CancellationToken cancellationToken)
    {
        Task held;
        lock (_lock)
        {
            _most = Math.Max(_most, ++_running);
            held = _held.Task;
        }

        await held;
        await Task.Delay(TimeSpan.FromMilliseconds(40), CancellationToken.None);
        lock (_lock)
            _running--;
    }

    // The runs that there are end. Those that begin from now on are counted anew; they are held in their turn, unless it
    // is for good.
    private void LetGo(bool forGood = false)
    {
        TaskCompletionSource held;
        lock (_lock)
        {
            (held, _held, _most) = (_held, new TaskCompletionSource(), 0);
            if (forGood)
                _held.SetResult();
        }

        held.SetResult();
    }

    private int Running()
    {
        lock (_lock)
            return _running;
    }

    private int Most()
    {
        lock (_lock)
            return _most;
    }
}
