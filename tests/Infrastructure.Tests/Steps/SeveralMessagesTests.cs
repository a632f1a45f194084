using Npgsql;
using Orders.Infrastructure.Failures;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.DeadLetters;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Payloads;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>
/// A step with three messages for one subject: its own and two more (an apology, a report). Each of them may fail for
/// now, fail for good, be redriven and succeed, in any order. The rule as a table: the step is failed exactly while one
/// of them stands in the dead-letter queue, and done when all of them are.
/// </summary>
public sealed class SeveralMessagesTests : SystemFixture
{
    private static readonly StepPolicy Step = HurriedStep.Policy;

    private OneProcess _process = null!;
    private RelayFeed _feed = null!;
    private RedriveMover _mover = null!;

    private enum State
    {
        Fresh,
        OnItsWay,
        DeadLettered,
        Done,
    }

    private enum Event
    {
        FailsForNow,
        FailsForGood,
        IsRedriven,
        Succeeds,
    }

    [OneTimeSetUp]
    public void Start()
    {
        _process = new OneProcess(TestSystem);
        _feed = new RelayFeed();
        var contract = new PayloadContract(new ZooContracts());
        _mover = new RedriveMover(
            _feed,
            new OrderDirectory(TestSystem.Database.Source, new ZooContracts()),
            contract,
            new PayloadEdits(contract)
        );
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _process.DisposeAsync();
        _feed.Dispose();
    }

    // Every state of the three that can be reached, and everything that can happen next in it.
    [Test]
    public async Task The_status_of_a_step_follows_the_table()
    {
        State[] start = [State.Fresh, State.Fresh, State.Fresh];
        var known = new HashSet<string> { Name(start) };
        var open = new Queue<(State[] States, (int Message, Event Event)[] Path)>([(start, [])]);
        var wrong = new List<string>();
        var rows = 0;
        var required = await TestSystem.RequiredStepsAsync();
        var orders = new Stack<Guid>(
            await TestSystem.StoreAsync([.. Enumerable.Range(0, 500).Select(_ => SampleOrders.New(required))])
        );
        while (open.TryDequeue(out var node))
        {
            for (var message = 0; message < node.States.Length; message++)
            {
                foreach (var next in Possible(node.States[message]))
                {
                    (int Message, Event Event)[] path = [.. node.Path, (message, next)];
                    var states = (State[])node.States.Clone();
                    states[message] = After(next);
                    rows++;
                    if (await FindingAsync(orders.Pop(), path, states) is { } finding)
                        wrong.Add($"{string.Join(", ", path.Select(p => $"{p.Message} {p.Event}"))}: {finding}");
                    if (known.Add(Name(states)))
                        open.Enqueue((states, path));
                }
            }
        }

        TestContext.Out.WriteLine($"{rows} rows, {known.Count} states.");
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public async Task A_copy_of_what_is_done_that_was_redriven_does_not_leave_its_step_on_the_way()
    {
        var order = await TestSystem.StoreAsync();
        var story = new Story(this, order);
        // Another message of the same effect, as a replay makes it; then the first one is redriven and dropped.
        await story.HappenAsync(0, Event.FailsForGood);
        await story.HappenAsync(1, Event.FailsForGood);
        await _process.Committer.CommitAsync(OneProcess.Run(Step, order));
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Failed));

        await story.HappenAsync(1, Event.IsRedriven);
        await story.HappenAsync(1, Event.Succeeds);
        Assert.That(
            await TestSystem.StatusAsync(order, Step.Name),
            Is.EqualTo(StepStatus.Failed),
            "with the first message in the queue"
        );
        await story.HappenAsync(0, Event.IsRedriven);
        Assert.That(await _process.Committer.CommitAsync(story.RunOf(0)), Is.False, "whether the copy was applied");
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
        Assert.That(
            await TestSystem.Database.CountAsync("order_progress where order_id = $1 and failed <> 0", order),
            Is.Zero,
            "orders that need attention"
        );
    }

    [Test]
    public async Task A_message_that_fails_before_its_consumer_says_that_it_is_an_apology_is_shown_at_a_step_that_is_done()
    {
        var order = await TestSystem.StoreAsync();
        await _process.Committer.CommitAsync(OneProcess.Run(Step, order));
        // As a message that has killed its process twice: nobody knows of it but its id.
        var killer = OneProcess.Run(Step, order);
        await _process.Failures.RecordAsync(
            killer,
            new InvalidOperationException("It kills."),
            nextAttempt: null,
            OneProcess.DeadLetterOf(killer)
        );
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Failed));
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.NeedsAttention));

        var apology = OneProcess.Run(Step, order, killer.MessageId);
        (apology.Effect, apology.IsSecondary) = ("apology", true);
        await _process.Committer.CommitAsync(apology);
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
    }

    [Test]
    public async Task Messages_that_fail_and_succeed_at_the_same_time_in_two_processes_leave_the_truth()
    {
        await using var other = new OneProcess(TestSystem);
        var orders = new List<Guid>();
        for (var i = 0; i < 20; i++)
        {
            var order = await TestSystem.StoreAsync();
            var story = new Story(this, order);
            await story.HappenAsync(1, Event.FailsForGood);
            await story.HappenAsync(1, Event.IsRedriven);
            orders.Add(order);
            await Task.WhenAll(
                story.HappenAsync(1, Event.FailsForGood),
                other.Committer.CommitAsync(story.RunOf(0)),
                story.HappenAsync(2, Event.Succeeds)
            );
        }

        foreach (var order in orders)
            Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Failed));
    }

    private static IEnumerable<Event> Possible(State state) =>
        state switch
        {
            State.Fresh or State.OnItsWay => [Event.FailsForNow, Event.FailsForGood, Event.Succeeds],
            State.DeadLettered => [Event.IsRedriven],
            _ => [],
        };

    private static State After(Event what) =>
        what switch
        {
            Event.FailsForGood => State.DeadLettered,
            Event.Succeeds => State.Done,
            _ => State.OnItsWay,
        };

    private static string Name(State[] states) => string.Join(' ', states);

    private async Task<string?> FindingAsync(Guid order, (int Message, Event Event)[] path, State[] states)
    {
        var story = new Story(this, order);
        foreach (var (message, what) in path)
            await story.HappenAsync(message, what);

        var (status, attention) = (
            await TestSystem.StatusAsync(order, Step.Name),
            await TestSystem.OrderStatusAsync(order) == OrderStatus.NeedsAttention
        );
        var stands = states.Contains(State.DeadLettered);
        // A redrive does not change what the order says: the message may fail again.
        var needsAttention = stands || (path[^1].Event is not Event.Succeeds && attention);
        return (status == StepStatus.Failed) != stands ? $"the step is {status}"
            : attention != needsAttention ? $"the order {(attention ? "needs" : "does not need")} attention"
            : Array.TrueForAll(states, s => s == State.Done) && status != StepStatus.Done ? $"the step is {status}"
            : null;
    }

    // What happens to the messages of one order: 0 is the step's own.
    private sealed class Story(SeveralMessagesTests test, Guid order)
    {
        private readonly Guid[] _messages = [Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()];
        private readonly int[] _generations = [0, 0, 0];

        public StepRun RunOf(int message)
        {
            var run = OneProcess.Run(Step, order, _messages[message]);
            if (message > 0)
                (run.Effect, run.IsSecondary) = ($"extra-{message}", true);
            return run;
        }

        public Task HappenAsync(int message, Event what) =>
            what switch
            {
                Event.FailsForNow => test._process.Failures.RecordAsync(
                    RunOf(message),
                    new TimeoutException("Not now."),
                    TimeSpan.FromSeconds(2)
                ),
                Event.FailsForGood => test._process.Failures.RecordAsync(
                    RunOf(message),
                    new InvalidOperationException("No."),
                    nextAttempt: null,
                    OneProcess.DeadLetterOf(RunOf(message), _generations[message])
                ),
                Event.IsRedriven => RedriveAsync(message),
                _ => test._process.Committer.CommitAsync(RunOf(message)),
            };

        private async Task RedriveAsync(int message)
        {
            await using var connection = await test.TestSystem.Database.Source.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            var redrive = Guid.CreateVersion7();
            await using (
                var command = new NpgsqlCommand(
                    $"""
                    with r as (
                        insert into redrives (id, stage, created_by, reason, filter, canary, rate_per_second,
                            stop_percent, total)
                        values ($1, {RedriveStage.Ramp:D}, 'otto', 'To see.', '{"{}"}', 0, 100, 100, 1))
                    insert into redrive_items (redrive_id, failure_id, state)
                    select $1, id, {RedriveItemState.Waiting:D} from failures
                        where message_id = $2 and state = {FailureState.Failed:D}
                    """,
                    connection
                )
            )
            {
                command.Parameters.Add(new() { Value = redrive });
                command.Parameters.Add(new() { Value = _messages[message] });
                Assert.That(await command.ExecuteNonQueryAsync(), Is.EqualTo(1), "messages to redrive");
            }

            var (_, sent) = await test._mover.MoveAsync(connection, redrive, null, 10, CancellationToken.None);
            Assert.That(sent, Is.EqualTo(1), "messages that were redriven");
            await transaction.CommitAsync();
            _generations[message]++;
        }
    }

    private sealed class ZooContracts : IMessageContracts
    {
        public IReadOnlyCollection<string> Names => [];

        public Type? Find(string messageType) => messageType == "Orders.Testing.Zoo:Feed" ? typeof(Feed) : null;
    }
}
