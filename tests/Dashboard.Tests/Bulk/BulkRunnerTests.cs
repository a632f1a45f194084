using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using QueueWorkers.Bulk;
using QueueWorkers.Operators;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.PersonalData;

namespace Orders.Dashboard.Tests.Bulk;

/// <summary>Bulk actions of a kind that an application has added, and that has a defect.</summary>
internal sealed class BulkRunnerTests : BulkFixture
{
    // The dashboard does not know the kind.
    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [.. base.Settings, ("Redrive:Run", "false")];

    [Test]
    public async Task A_target_that_another_dashboard_has_refused_meanwhile_takes_no_other_with_it()
    {
        var targets = Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7()).Order().ToArray();
        var tries = 0;
        var kind = new AddedKind(
            targets,
            async portion =>
            {
                if (portion[0] != targets[0])
                    return;
                // Its turn for the second time: the other one has come to its end with it.
                if (++tries == 2)
                    await TestSystem.Database.ExecuteAsync(
                        $"update bulk_items set state = {BulkItemState.Refused:D}, note = 'by the other' where target_id = $1",
                        targets[0]
                    );
                throw new InvalidOperationException("the first one is broken");
            }
        );
        var id = await BeginAsync(kind);
        using var runner = RunnerOf(kind);
        await Eventually.That(
            async () =>
            {
                await runner.TurnAsync(default);
                return await TestSystem.Database.ScalarAsync<short>("select state from bulk_actions where id = $1", id);
            },
            Is.EqualTo((short)BulkState.Finished),
            "state of the bulk action"
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(state || coalesce(': ' || note, ''), ', ' order by target_id) from bulk_items where bulk_action_id = $1",
                id
            ),
            Is.EqualTo($"{BulkItemState.Refused:D}: by the other, {BulkItemState.Done:D}, {BulkItemState.Done:D}")
        );
    }

    [Test]
    public async Task A_bulk_action_whose_fault_lasts_holds_up_no_later_one()
    {
        var held = new AddedKind(
            [Guid.CreateVersion7()],
            static _ => throw new PostgresException("locked", "ERROR", "ERROR", PostgresErrorCodes.LockNotAvailable)
        );
        var free = new AddedKind([Guid.CreateVersion7()], static _ => Task.CompletedTask, "free");
        var first = await BeginAsync(held);
        var second = await BeginAsync(free);
        using var runner = RunnerOf(held, free);
        await Eventually.That(
            async () =>
            {
                Assert.That(
                    async () => await runner.TurnAsync(default),
                    Throws.InstanceOf<PostgresException>(),
                    "the loop says so, and waits"
                );
                return await TestSystem.Database.ScalarAsync<int>(
                    "select done from bulk_actions where id = $1",
                    second
                );
            },
            Is.EqualTo(1),
            "targets of the later one that are done"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"bulk_actions where id = $1 and state = {BulkState.Running:D}",
                first
            ),
            Is.EqualTo(1)
        );
        await TestSystem.Database.ExecuteAsync("delete from bulk_items where bulk_action_id = $1", first);
        await TestSystem.Database.ExecuteAsync("delete from bulk_actions where id = $1", first);
    }

    [Test]
    public void A_rehearsal_that_could_not_look_at_all_that_match_is_refused() =>
        Assert.That(
            async () =>
                await ActionsOf(
                        new AddedKind([Guid.CreateVersion7()], static _ => Task.CompletedTask, matched: 100_001)
                    )
                    .RehearseAsync(new BulkRequest("added", null, "{}"), "otto", default),
            Throws.InstanceOf<BulkRefusedException>().With.Property("Code").EqualTo("too-many")
        );

    private async Task<Guid> BeginAsync(AddedKind kind)
    {
        var actions = ActionsOf(kind);
        var (action, _) = await actions.RehearseAsync(new BulkRequest(kind.Name, null, "{}"), "otto", default);
        await actions.ConfirmAsync(
            action.Id,
            action.Total,
            new AuditEntry
            {
                Who = "otto",
                Role = "operator",
                Action = kind.Name,
                Reason = "a look",
            },
            default
        );
        return action.Id;
    }

    private BulkActions ActionsOf(AddedKind kind) =>
        new(
            TestSystem.Database.Source,
            [kind],
            new BulkReader(TestSystem.Database.Source),
            Dashboard.Services.GetRequiredService<PersonalDataHash>()
        );

    private BulkRunner RunnerOf(params IBulkKind[] kinds) =>
        new(
            TestSystem.Database.Source,
            kinds,
            Dashboard.Services.GetRequiredService<RelayFeed>(),
            NullLogger<BulkRunner>.Instance
        );

    private sealed class AddedKind(
        Guid[] targets,
        Func<IReadOnlyList<Guid>, Task> act,
        string name = "added",
        long? matched = null
    ) : IBulkKind
    {
        public string Name => name;

        public int Portion => 10;

        public int PerSecond => BulkRequest.MostPerSecond;

        public Task<BulkSelection> SelectAsync(BulkRequest request, CancellationToken cancellationToken) =>
            Task.FromResult(new BulkSelection(request.Filter, ChooseAsync));

        public async Task<BulkPortion> DoAsync(
            NpgsqlConnection connection,
            BulkAction action,
            IReadOnlyList<Guid> targets,
            CancellationToken cancellationToken
        )
        {
            await act(targets);
            return new BulkPortion([.. targets.Select(t => new BulkSettled(t, BulkItemState.Done))], []);
        }

        private async Task<BulkRehearsal> ChooseAsync(
            NpgsqlConnection connection,
            Guid id,
            CancellationToken cancellationToken
        )
        {
            await using var command = new NpgsqlCommand(
                $"insert into bulk_items (bulk_action_id, target_id, state) select $1, t, {BulkItemState.Waiting:D} from unnest($2) t",
                connection
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = targets });
            await command.ExecuteNonQueryAsync(cancellationToken);
            return new BulkRehearsal(matched ?? targets.Length, [], []);
        }
    }
}
