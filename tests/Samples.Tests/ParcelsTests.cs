using Orders.Testing;
using Orders.Testing.Servers;
using Parcels.Steps;
using QueueWorkers.Steps;

namespace Orders.Samples.Tests;

/// <summary>
/// The sample as its users run it: deployed by its own command into an empty database, then one process with API, relay,
/// steps and schedule.
/// </summary>
public sealed class ParcelsTests
{
    private const int Count = 40;

    private const string Functions =
        "select proname, xmin::text from pg_proc where pronamespace = 'public'::regnamespace order by oid";

    private ParcelsInstallation _installation = null!;
    private SupervisedHost _host = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _installation = await ParcelsInstallation.DeployAsync();
        _host = await SupervisedHost.StartDll(ParcelsInstallation.Dll, _installation.Settings).UntilReadyAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (TestContext.CurrentContext.Result.FailCount > 0)
            await TestContext.Out.WriteLineAsync($"The host's log:\n{_host}");
        await _host.DisposeAsync();
        await _installation.DisposeAsync();
    }

    [Test]
    public async Task Each_parcel_ends_with_each_effect_once()
    {
        var parcels = new List<Guid>();
        while (parcels.Count < Count)
            parcels.Add(await _installation.PostAsync(_host.Address!));
        await _installation.UntilCompleteAsync(parcels);
    }

    [Test]
    public Task The_schedule_publishes_its_message() =>
        Eventually.That(() => _installation.Database.CountAsync("\"Summaries\""), Is.Positive, "summaries");

    [Test]
    public async Task A_parcel_that_is_not_stored_is_not_announced()
    {
        var announced = await _installation.Broker.ListenAsync<Parcels.ParcelAccepted>();

        Assert.That(await _installation.PostWithoutRecipientAsync(_host.Address!), Is.EqualTo(500));
        // One that is posted later: when it is done, a message about the other would have been sent, too.
        await _installation.UntilCompleteAsync([await _installation.PostAsync(_host.Address!)]);
        // On a busy machine one and the same may be sent twice.
        Assert.That(
            (await _installation.Broker.TakeAllAsync(announced)).Select(m => m.BasicProperties.MessageId).Distinct(),
            Has.Exactly(1).Items,
            "messages about parcels"
        );
    }

    [Test]
    public async Task A_parcel_waits_while_the_carrier_is_down_and_no_attempt_is_counted()
    {
        _installation.Carrier.Refusal = 503;
        var parcel = await _installation.PostAsync(_host.Address!);
        await Eventually.That(
            () => _installation.Database.CountAsync("breakers where dependency = 'carrier' and opened_at is not null"),
            Is.EqualTo(1),
            "open breakers"
        );

        _installation.Carrier.Refusal = null;
        await _installation.UntilCompleteAsync([parcel]);
        Assert.That(await _installation.StepOfAsync(parcel, "handover"), Is.EqualTo((StepStatus.Done, 1)));
    }

    [Test]
    public async Task A_parcel_that_the_carrier_refuses_stands_among_the_dead_letters()
    {
        _installation.Carrier.Refusal = 422;
        var parcel = await _installation.PostAsync(_host.Address!);
        await Eventually.That(
            () => _installation.StepOfAsync(parcel, "handover"),
            Is.EqualTo((StepStatus.Failed, 1)),
            "status and attempts of the step"
        );
        await Eventually.That(
            () => _installation.Broker.CountAsync("handover_error"),
            Is.EqualTo(1u),
            "dead-lettered messages"
        );
    }

    [Test]
    public async Task A_write_that_fails_does_not_hold_up_those_that_share_its_commit()
    {
        var unknown = Guid.NewGuid();
        await _installation.Broker.PublishAsync(new Parcels.ParcelAccepted(unknown));
        var parcels = new List<Guid>();
        while (parcels.Count < Count)
            parcels.Add(await _installation.PostAsync(_host.Address!));

        await _installation.UntilCompleteAsync(parcels);
        await Eventually.That(
            () => _installation.StepOfAsync(unknown, "label"),
            Is.EqualTo((StepStatus.Failed, LabelStep.Policy.PlannedAttempts)),
            "status and attempts of the step"
        );
    }

    [TearDown]
    public void LetTheCarrierTakeParcels() => _installation.Carrier.Refusal = null;

    [Test]
    public async Task A_second_deployment_changes_nothing()
    {
        var before = await _installation.Database.RowsAsync(Functions);
        var (code, log) = await _installation.RunAsync(ParcelsInstallation.Dll, "deploy");
        Assert.That(code, Is.Zero, log);
        Assert.That(
            await _installation.Database.RowsAsync(Functions),
            Is.EqualTo(before),
            "functions, with their rows"
        );
    }

    [Test]
    public async Task Describe_prints_the_steps()
    {
        var (code, text) = await _installation.RunAsync(ParcelsInstallation.Dll, "describe");
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.Zero, text);
            Assert.That(text, Does.Contain("| handover | ParcelLabelled | handover | 5 | 10 s |"));
        });
    }

    [Test]
    public async Task A_wrong_configuration_is_told_in_sentences()
    {
        var (code, text) = await _installation.RunAsync(
            ParcelsInstallation.Dll,
            "run",
            "--RabbitMq:Host=",
            "--Outbox:BatchSize=0"
        );
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(2), text);
            Assert.That(text, Does.StartWith("The configuration has 2 problem(s):"));
        });
    }
}
