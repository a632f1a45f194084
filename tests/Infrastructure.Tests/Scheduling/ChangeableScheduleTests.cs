using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;
using QueueWorkers.Scheduling.Firings;

namespace Orders.Infrastructure.Tests.Scheduling;

/// <summary>Schedules that operators create, change and delete while workers fire them.</summary>
public sealed class ChangeableScheduleTests : SystemFixture
{
    private const string Kind = "beat";
    private const string Other = "other";
    private const string Yearly = "0 0 1 1 *";
    private const string EverySecond = "* * * * * *";

    private static readonly ScheduleCatalogue Schedules = CatalogueOf(TimeSpan.FromSeconds(1), most: 5);

    private ChangeableSchedules _schedules = null!;
    private ScheduleControl _control = null!;

    [OneTimeSetUp]
    public async Task Prepare()
    {
        _schedules = new ChangeableSchedules(TestSystem.Database.Source);
        _control = new ScheduleControl(TestSystem.Database.Source);
        await KeepOutboxHistory();
        // What no test waits for leaves the outbox too.
        await TestSystem.Broker.ListenAsync<Tick>();
        await TestSystem.Broker.ListenAsync<Born>();
    }

    [SetUp]
    public async Task Reset()
    {
        await TestSystem.Database.ExecuteAsync("delete from schedule_runs; delete from schedules");
        await DeployAsync(Schedules);
    }

    [Test]
    public async Task A_firing_publishes_the_payload_as_it_stands_with_the_firings_id()
    {
        var listener = await TestSystem.Broker.ListenAsync<Tick>();
        var (name, _) = await CreateAsync("morning", Yearly, 7);
        Assert.That(name, Is.EqualTo("beat.morning"));
        await using var host = await StartAsync();
        await DueAsync(name);
        await UntilArrivedAsync(listener, 1);
        var due = await TestSystem.Database.ScalarAsync<DateTime>("select due_at from schedule_runs");
        var message = (await TestSystem.Broker.TakeAllAsync(listener)).Single();
        Assert.That(message.BasicProperties.MessageId, Is.EqualTo(new Firing(name, new(due)).Id.ToString()));
        Assert.That(PitchOf(message.Body), Is.EqualTo(7));

        // Run now is a firing too, with what has been changed meanwhile.
        await ChangeAsync(name, draft => draft with { Payload = Pitch(8) });
        await _control.RunNowAsync(name, By(), CancellationToken.None);
        await UntilArrivedAsync(listener, 1);
        Assert.That(PitchOf((await TestSystem.Broker.TakeAllAsync(listener)).Single().Body), Is.EqualTo(8));
    }

    [Test]
    public async Task What_is_deleted_while_two_processes_fire_it_has_published_each_firing_once()
    {
        var listener = await TestSystem.Broker.ListenAsync<Tick>();
        await using var one = await StartAsync();
        await using var two = await StartAsync();
        for (var round = 0; round < 4; round++)
        {
            var (name, _) = await CreateAsync($"round-{round}", EverySecond, 1);
            await Eventually.That(
                () => TestSystem.Database.CountAsync("schedule_runs where schedule = $1", name),
                Is.Positive,
                "firings"
            );
            await _control.RunNowAsync(name, By(), CancellationToken.None);
            await _schedules.DeleteAsync(name, null, By(), CancellationToken.None);
            Assert.That(await TestSystem.Database.CountAsync("schedules where name = $1", name), Is.Zero);
        }

        var runs = await TestSystem.Database.RowsAsync("select schedule, due_at, status from schedule_runs");
        Assert.That(runs.Select(r => (short)r[2]!), Is.All.EqualTo((short)FiringStatus.Done));
        await EachArrivedOnceAsync(listener, runs.Select(r => new Firing((string)r[0]!, new((DateTime)r[1]!)).Id));
    }

    [Test]
    public async Task A_change_while_nobody_fires_loses_no_firing_that_was_due()
    {
        var (name, _) = await CreateAsync("late", "0 * * * * *", 1, Misfire.All);
        await TestSystem.Database.ExecuteAsync(
            "update schedules set next_due_at = date_trunc('minute', now()) - interval '3 minutes' where name = $1",
            name
        );
        await ChangeAsync(name, draft => draft with { Cron = Yearly, Payload = Pitch(2) });
        var waiting = await TestSystem.Database.CountAsync(
            $"schedule_runs where schedule = $1 and status = {FiringStatus.Waiting:D}",
            name
        );
        Assert.That(waiting, Is.EqualTo(4).Or.EqualTo(5), "three minutes, this one, and perhaps the next one");
        Assert.That(
            (await _control.FindAsync(name, CancellationToken.None))!.NextDueAt,
            Is.GreaterThan(DateTimeOffset.UtcNow)
        );

        var listener = await TestSystem.Broker.ListenAsync<Tick>();
        await using var host = await StartAsync();
        await UntilArrivedAsync(listener, (int)waiting);
        Assert.That(
            (await TestSystem.Broker.TakeAllAsync(listener)).Select(m => PitchOf(m.Body)),
            Is.All.EqualTo(2),
            "what was not out yet has the new payload"
        );
    }

    [Test]
    public async Task A_change_of_the_payload_alone_keeps_the_next_moment()
    {
        var (name, _) = await CreateAsync("steady", Yearly, 1);
        await DueAsync(name);
        var due = await NextDueAsync(name);
        await ChangeAsync(name, draft => draft with { Payload = Pitch(2) });
        Assert.That(await NextDueAsync(name), Is.EqualTo(due));
    }

    [Test]
    public async Task Of_two_who_change_what_they_have_read_the_second_is_told()
    {
        var (name, read) = await CreateAsync("shared", Yearly, 1);
        var second = await _schedules.ChangeAsync(name, read, d => d with { Payload = Pitch(2) }, By, default);
        var refused = Assert.ThrowsAsync<ScheduleRefusedException>(() =>
            _schedules.ChangeAsync(name, read, d => d with { Payload = Pitch(3) }, By, default)
        );
        Assert.That(refused!.Refusal, Is.EqualTo(ScheduleRefusal.Stale));
        Assert.That(refused.Message, Does.Contain($"expected revision {second}, found {read}"));
        Assert.ThrowsAsync<ScheduleRefusedException>(() => _schedules.DeleteAsync(name, read, By(), default));
        // Deleted and created again it is another one, although it looks the same.
        await _schedules.DeleteAsync(name, second, By(), default);
        await CreateAsync("shared", Yearly, 2);
        Assert.That(
            Assert
                .ThrowsAsync<ScheduleRefusedException>(() => _schedules.DeleteAsync(name, second, By(), default))!
                .Refusal,
            Is.EqualTo(ScheduleRefusal.Stale)
        );
    }

    [Test]
    public async Task Of_many_who_create_one_of_a_name_one_does_and_no_more_than_the_kind_allows()
    {
        var same = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TryCreateAsync("same")));
        Assert.That(same.Count(created => created), Is.EqualTo(1), "of one name");
        var others = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => TryCreateAsync($"n-{n}")));
        Assert.That(others.Count(created => created), Is.EqualTo(4), "beside it, of five");
        Assert.That(
            await TestSystem.Database.CountAsync("audit where action = 'create-schedule' and target like '%beat.n-%'"),
            Is.EqualTo(4),
            "records"
        );
    }

    [Test]
    public async Task A_version_without_the_kind_keeps_the_schedule_says_why_and_a_later_one_takes_it_up()
    {
        var (name, read) = await CreateAsync("kept", EverySecond, 5);
        await DeployAsync(new ScheduleCatalogue());
        var kept = (await _control.FindAsync(name, CancellationToken.None))!;
        Assert.That(
            (kept.Active, kept.NextDueAt, kept.UnusableBecause),
            Is.EqualTo(
                (
                    false,
                    (DateTimeOffset?)null,
                    "This version has no kind of schedules 'beat'. Deploy a version that has it, or delete the schedule."
                )
            )
        );
        Assert.That((kept.Cron, kept.Payload!.ToJsonString()), Is.EqualTo((EverySecond, """{"pitch":5}""")));
        Assert.That(await _control.RunNowAsync(name, By(), CancellationToken.None), Is.Null);
        Assert.That(
            Assert
                .ThrowsAsync<ScheduleRefusedException>(() => _schedules.ChangeAsync(name, read, d => d, By, default))!
                .Refusal,
            Is.EqualTo(ScheduleRefusal.Conflict)
        );
        Assert.That(await TestSystem.Database.CountAsync("schedule_runs"), Is.Zero);

        await DeployAsync(Schedules);
        var back = (await _control.FindAsync(name, CancellationToken.None))!;
        Assert.That((back.Active, back.UnusableBecause, back.Revision), Is.EqualTo((true, (string?)null, read)));
        Assert.That(back.NextDueAt, Is.GreaterThan(DateTimeOffset.UtcNow - TimeSpan.FromSeconds(30)), "from now on");
    }

    [Test]
    public async Task A_payload_or_an_interval_that_the_new_version_does_not_allow_is_named_and_can_be_changed()
    {
        var (name, _) = await CreateAsync("odd", EverySecond, 5);
        await DeployAsync(CatalogueOf(TimeSpan.FromMinutes(1), most: 5));
        Assert.That(
            (await _control.FindAsync(name, CancellationToken.None))!.UnusableBecause,
            Does.StartWith("Expected at least 00:01:00 between two firings, found 00:00:01")
        );
        await DeployAsync(CatalogueOf(TimeSpan.FromSeconds(1), most: 5, highest: 3));
        Assert.That(
            (await _control.FindAsync(name, CancellationToken.None))!.UnusableBecause,
            Does.Contain("payload.pitch: Expected a whole number 1–3, found 5.")
        );
        await ChangeAsync(name, draft => draft with { Payload = Pitch(3) });
        var changed = (await _control.FindAsync(name, CancellationToken.None))!;
        Assert.That((changed.Active, changed.UnusableBecause), Is.EqualTo((true, (string?)null)));
    }

    [Test]
    public async Task A_process_of_another_version_leaves_what_it_cannot_make_to_others_and_fires_the_rest()
    {
        var (name, _) = await CreateAsync("new", Yearly, 1000);
        await DueAsync(name);
        // What an older process knows of the kind: no number above 3.
        await using var older = await StartAsync(CatalogueOf(TimeSpan.FromSeconds(1), most: 5, highest: 3));
        // A firing of another schedule shows that the process has looked.
        await _control.RunNowAsync(Other, By(), CancellationToken.None);
        await DoneAsync(Other);
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"schedule_runs where schedule = $1 and status = {FiringStatus.Done:D}",
                name
            ),
            Is.Zero
        );
        var listener = await TestSystem.Broker.ListenAsync<Tick>();
        await using var newer = await StartAsync();
        await DoneAsync(name);
        await UntilArrivedAsync(listener, 1);
        Assert.That(PitchOf((await TestSystem.Broker.TakeAllAsync(listener)).Single().Body), Is.EqualTo(1000));
    }

    [Test]
    public async Task Code_of_a_kind_that_throws_keeps_no_other_schedule_from_firing()
    {
        var (name, _) = await CreateAsync("poison", Yearly, 13);
        await DueAsync(name);
        await using var host = await StartAsync();
        await _control.RunNowAsync(Other, By(), CancellationToken.None);
        await DoneAsync(Other);
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"schedule_runs where schedule = $1 and status = {FiringStatus.Done:D}",
                name
            ),
            Is.Zero
        );
    }

    [Test]
    public async Task Other_processes_know_of_a_kind_what_its_code_declares()
    {
        var catalogue = new ScheduleCatalogue().Changeable(
            "full",
            "Has every field.",
            [
                ScheduleField.Number("number", "Number", -5, 5, required: false),
                ScheduleField.Text("text", "Text", 10, "[a-z]+", "abc", required: false),
                ScheduleField.Choice("choice", "Choice", "one", "two"),
                ScheduleField.Flag("flag", "Flag"),
            ],
            (firing, _) => new Tick(firing.Id, firing.DueAt)
        );
        await DeployAsync(catalogue);
        var stored = (await _schedules.KindsAsync(CancellationToken.None)).Single();
        Assert.That(
            JsonSerializer.Serialize(stored),
            Is.EqualTo(JsonSerializer.Serialize(catalogue.Kinds.Single().Kind))
        );
    }

    [Test]
    public async Task The_record_names_the_fields_and_not_their_values()
    {
        var (name, _) = await CreateAsync("recorded", Yearly, 4711);
        await _schedules.DeleteAsync(name, null, By(), CancellationToken.None);
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select target from audit where action = 'create-schedule' and target like '%beat.recorded%'"
            ),
            Is.EqualTo("schedule beat.recorded: 0 0 1 1 *, UTC, Once; payload: pitch")
        );
        Assert.That(await TestSystem.Database.CountAsync("audit where audit::text like '%4711%'"), Is.Zero);
    }

    private static ScheduleCatalogue CatalogueOf(TimeSpan smallest, int most, int highest = 1_000_000) =>
        new ScheduleCatalogue()
            .Publish(Other, Yearly, Misfire.Once, firing => new Born(firing.Id))
            .Changeable(
                Kind,
                "Beats.",
                [ScheduleField.Number("pitch", "Pitch", 1, highest)],
                (firing, payload) =>
                    payload.Number("pitch") == 13
                        ? throw new InvalidOperationException("There is no such pitch.")
                        : new Tick(firing.Id, firing.DueAt, payload.Number("pitch")),
                smallest,
                most
            );

    private static AuditEntry By(string target = "") =>
        new()
        {
            Who = "ada",
            Role = "Operator",
            Action = "create-schedule",
            Target = target,
        };

    private static JsonObject Pitch(int pitch) => new() { ["pitch"] = pitch };

    private static int PitchOf(ReadOnlyMemory<byte> body) =>
        JsonNode.Parse(body.Span)!["message"]!["pitch"]!.GetValue<int>();

    private Task DeployAsync(ScheduleCatalogue catalogue) =>
        new ScheduleDeployment(TestSystem.Database.Source, catalogue).DeployAsync(CancellationToken.None);

    private Task<(string Name, Guid Revision)> CreateAsync(
        string name,
        string cron,
        int pitch,
        Misfire misfire = Misfire.Once
    ) =>
        _schedules.CreateAsync(
            Kind,
            name,
            new ScheduleDraft(cron, "UTC", misfire, Pitch(pitch)),
            By,
            CancellationToken.None
        );

    private async Task<bool> TryCreateAsync(string name)
    {
        try
        {
            await CreateAsync(name, Yearly, 1);
            return true;
        }
        catch (ScheduleRefusedException refused)
        {
            Assert.That(refused.Refusal, Is.EqualTo(ScheduleRefusal.Conflict));
            return false;
        }
    }

    private Task<Guid> ChangeAsync(string name, Func<ScheduleDraft, ScheduleDraft> change) =>
        _schedules.ChangeAsync(name, null, change, By, CancellationToken.None);

    private Task<RunningHost> StartAsync(ScheduleCatalogue? catalogue = null) =>
        TestSystem.StartAsync(
            "",
            services =>
                services.AddSchedules(
                    TestSystem.Configuration(("Schedules:PollInterval", "00:00:00.1")),
                    catalogue ?? Schedules
                )
        );

    private Task<int> DueAsync(string schedule) =>
        TestSystem.Database.ExecuteAsync(
            "update schedules set next_due_at = date_trunc('second', now()) where name = $1",
            schedule
        );

    private Task<DateTime> NextDueAsync(string schedule) =>
        TestSystem.Database.ScalarAsync<DateTime>("select next_due_at from schedules where name = $1", schedule);

    private Task<long> DoneAsync(string schedule) =>
        Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"schedule_runs where schedule = $1 and status = {FiringStatus.Done:D}",
                    schedule
                ),
            Is.Positive,
            $"firings of '{schedule}'"
        );
}
