using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orders.OutsideWorld;
using Orders.OutsideWorld.Faults;
using Orders.Workers.Warehouse;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Warehouse;

/// <summary>
/// The client as the step gets it, against the demo's warehouse and against one that answers as it is told.
/// </summary>
public sealed class WarehouseClientTests
{
    private static readonly PickList List = PickList.Of(SampleDetails.Of());

    [Test]
    public async Task A_pick_list_is_accepted_with_its_signature_and_its_key()
    {
        await using var world = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Settings.WarehouseSecret);
        var message = Guid.NewGuid();
        await PostAsync(world, message);

        var call = world.Warehouse.Calls.Single();
        Assert.That(
            (call.OrderId, call.IdempotencyKey, call.IsAccepted),
            Is.EqualTo((List.OrderId.ToString(), message.ToString(), true))
        );
    }

    [Test]
    public async Task A_call_repeated_after_a_lost_answer_is_the_same_call_to_the_warehouse()
    {
        await using var world = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Settings.WarehouseSecret);
        var message = Guid.NewGuid();
        world.Behaviour.Warehouse.Set(new(WarehouseMode.Vanish));
        Assert.That(() => PostAsync(world, message), Throws.TypeOf<WarehouseUnavailableException>());
        world.Behaviour.Warehouse.Set(new(WarehouseMode.Ok));
        await PostAsync(world, message);

        Assert.That(world.Warehouse.Calls.Count(c => c.IsAccepted), Is.EqualTo(1));
        Assert.That(world.Warehouse.Calls.Single(c => c.IsAccepted).Repeats, Is.EqualTo(1));
    }

    [TestCase(WarehouseMode.Down, "broke off")]
    [TestCase(WarehouseMode.Error, "503")]
    public async Task What_may_pass_is_a_transient_fault(WarehouseMode mode, string saying)
    {
        await using var world = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Settings.WarehouseSecret);
        world.Behaviour.Warehouse.Set(new(mode));

        Assert.That(
            () => PostAsync(world, Guid.NewGuid()),
            Throws.TypeOf<WarehouseUnavailableException>().With.Message.Contains(saying)
        );
    }

    [Test]
    public async Task No_answer_in_time_is_a_transient_fault()
    {
        await using var world = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Settings.WarehouseSecret);
        world.Behaviour.Warehouse.Set(new(WarehouseMode.Slow, TimeSpan.FromSeconds(20)));

        Assert.That(
            () => PostAsync(world, Guid.NewGuid(), ("Warehouse:Timeout", "00:00:01")),
            Throws.TypeOf<WarehouseUnavailableException>().With.Message.Contains("Warehouse:Timeout")
        );
    }

    [Test]
    public async Task A_refusal_is_permanent_and_says_what_the_warehouse_said()
    {
        await using var world = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Settings.WarehouseSecret);
        world.Behaviour.Warehouse.Set(new(WarehouseMode.Reject));

        Assert.That(
            () => PostAsync(world, Guid.NewGuid()),
            Throws.TypeOf<PermanentFaultException>().With.Message.Contains("422")
        );
    }

    [TestCase(408)]
    [TestCase(429)]
    [TestCase(500)]
    [TestCase(504)]
    public Task These_answers_are_worth_another_try(int status) =>
        AnsweringAsync(
            status,
            "later",
            url =>
                Assert.That(
                    () => PostAsync(url, Guid.NewGuid()),
                    Throws.TypeOf<WarehouseUnavailableException>().With.Message.Contains($"{status} later")
                )
        );

    [TestCase(423)]
    [TestCase(425)]
    public Task These_answers_concern_one_pick_list_and_are_worth_another_try(int status) =>
        AnsweringAsync(
            status,
            "later",
            url =>
                Assert.That(
                    () => PostAsync(url, Guid.NewGuid()),
                    Throws.TypeOf<PickListBusyException>().With.Message.Contains($"{status} later")
                )
        );

    [TestCase("")]
    [TestCase("""{"title":"A request is outstanding for this Idempotency-Key"}""")]
    [TestCase("""{"type":"https://warehouse.example/errors/idempotency-key-in-progress","status":409}""")]
    [TestCase("""{"error":{"code":"idempotency_key_in_use"}}""")]
    [TestCase("There is currently another in-progress request using this idempotent key.")]
    public Task A_409_for_a_key_in_progress_is_worth_another_try(string body) =>
        AnsweringAsync(
            409,
            body,
            url =>
                Assert.That(
                    () => PostAsync(url, Guid.NewGuid()),
                    Throws.TypeOf<PickListBusyException>().With.Message.Contains("409")
                )
        );

    [Test]
    public Task A_409_that_says_when_to_come_again_is_worth_another_try() =>
        AnsweringAsync(
            409,
            "The shelf is being counted.",
            url =>
                Assert.That(
                    () => PostAsync(url, Guid.NewGuid()),
                    Throws.TypeOf<PickListBusyException>().With.Property("RetryAfter").EqualTo(TimeSpan.FromSeconds(7))
                ),
            retryAfter: "7"
        );

    [TestCase("The order is in progress already.")]
    [TestCase("""{"title":"This Idempotency-Key was used with other content"}""")]
    public Task Another_409_is_a_conflict_for_good(string body) =>
        AnsweringAsync(
            409,
            body,
            url =>
                Assert.That(
                    () => PostAsync(url, Guid.NewGuid()),
                    Throws.TypeOf<PermanentFaultException>().With.Message.Contains("conflict: 409")
                )
        );

    [TestCase(WarehouseMode.RetryAfter, "429")]
    [TestCase(WarehouseMode.RetryDate, "503")]
    public async Task Retry_After_is_honoured_as_seconds_and_as_a_date_up_to_the_limit(
        WarehouseMode mode,
        string status
    )
    {
        await using var world = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Settings.WarehouseSecret);
        world.Behaviour.Warehouse.Set(new(mode, TimeSpan.FromMinutes(5)));
        var fault = Assert.ThrowsAsync<WarehouseUnavailableException>(() => PostAsync(world, Guid.NewGuid()))!;
        Assert.That(fault.Message, Does.Contain(status));
        // A date has whole seconds, and the Date beside it is that of the server's last look at its clock, which is
        // late on a busy machine.
        Assert.That(
            fault.RetryAfter,
            mode == WarehouseMode.RetryAfter
                ? Is.EqualTo(TimeSpan.FromMinutes(5))
                : Is.InRange(TimeSpan.FromSeconds(290), TimeSpan.FromSeconds(310))
        );

        world.Behaviour.Warehouse.Set(new(mode, TimeSpan.FromDays(2)));
        fault = Assert.ThrowsAsync<WarehouseUnavailableException>(() =>
            PostAsync(world, Guid.NewGuid(), ("Warehouse:RetryAfterLimit", "00:01:00"))
        )!;
        Assert.That(fault.RetryAfter, Is.EqualTo(TimeSpan.FromMinutes(1)));
        Assert.That(fault.Message, Does.Contain("Warehouse:RetryAfterLimit cuts to 60 s"));
    }

    [TestCase("soon")]
    [TestCase("-3")]
    [TestCase("0")]
    [TestCase("99999999999999999999")]
    [TestCase("Sun, 06 Nov 1994 08:49:37 GMT")]
    public Task A_Retry_After_that_names_no_time_to_come_is_none(string value) =>
        AnsweringAsync(
            503,
            "later",
            url =>
                Assert.That(
                    () => PostAsync(url, Guid.NewGuid()),
                    Throws.TypeOf<WarehouseUnavailableException>().With.Property("RetryAfter").Null
                ),
            retryAfter: value
        );

    [TestCase(WarehouseMode.Gone, "found 410", "set Warehouse__Url")]
    [TestCase(WarehouseMode.Moved, "a redirect (308 to warehouse.example)", "Set Warehouse__Url")]
    [TestCase(WarehouseMode.Conflict, "conflict: 409", "Settle it with the warehouse")]
    [TestCase(WarehouseMode.HalfEmoji, "422 no room for", "Settle it with the warehouse")]
    [TestCase(WarehouseMode.Endless, "422 xxx", "its reply had not ended after 2 s")]
    [TestCase(WarehouseMode.Huge, "422 xxx", "Settle it with the warehouse")]
    [TestCase(WarehouseMode.Latin1, "422 Gr", "Settle it with the warehouse")]
    public async Task What_is_final_is_said_in_few_storable_words_after_one_call(
        WarehouseMode mode,
        string found,
        string advice
    )
    {
        await using var world = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Settings.WarehouseSecret);
        world.Behaviour.Warehouse.Set(new(mode));
        var fault = Assert.ThrowsAsync<PermanentFaultException>(() => PostAsync(world, Guid.NewGuid()))!;

        Assert.That(fault.Message, Does.Contain(found).And.Contain(advice));
        Assert.That(fault.Message, Has.Length.LessThan(600));
        Assert.That(StorableText.Of(fault.Message), Is.EqualTo(fault.Message), "no half of a surrogate pair");
        Assert.That(world.Warehouse.Calls, Has.Count.EqualTo(1), "calls");
    }

    [TestCase(400)]
    [TestCase(401)]
    [TestCase(404)]
    [TestCase(410)]
    public Task These_answers_are_final(int status) =>
        AnsweringAsync(
            status,
            "never",
            url =>
                Assert.That(
                    () => PostAsync(url, Guid.NewGuid()),
                    Throws.TypeOf<PermanentFaultException>().With.Message.Contains($"{status} never")
                )
        );

    [TestCase(301)]
    [TestCase(302)]
    [TestCase(307)]
    [TestCase(308)]
    public async Task A_redirect_is_never_followed(int status)
    {
        await using var elsewhere = await OutsideWorldHost.StartAsync();
        await AnsweringAsync(
            status,
            "",
            url =>
                Assert.That(
                    () => PostAsync(url, Guid.NewGuid()),
                    Throws
                        .TypeOf<PermanentFaultException>()
                        .With.Message.Contains($"a redirect ({status} to {elsewhere.BaseUri.Authority})")
                        .And.Message.Contains("Set Warehouse__Url")
                ),
            location: new Uri(elsewhere.BaseUri, "warehouse").ToString()
        );

        Assert.That(elsewhere.Warehouse.Calls, Is.Empty);
    }

    [Test]
    public Task Of_a_long_and_hostile_answer_the_first_200_printable_characters_are_kept() =>
        AnsweringAsync(
            400,
            "\u001b[31mred\0\u202e" + new string('x', 5_000),
            url =>
            {
                var fault = Assert.ThrowsAsync<PermanentFaultException>(() => PostAsync(url, Guid.NewGuid()))!;
                Assert.That(fault.Message, Does.Contain("400 [31mredxxx"));
                Assert.That(fault.Message.Where(char.IsControl), Is.Empty);
                Assert.That(fault.Message.Count(c => c == 'x'), Is.InRange(150, 200));
            }
        );

    private static Task PostAsync(RunningWorld world, Guid message, params (string, string?)[] settings) =>
        PostAsync(new Uri(world.BaseUri, "warehouse"), message, settings);

    private static async Task PostAsync(Uri url, Guid message, params (string, string?)[] settings)
    {
        var configuration = Settings.Of([
            ("Warehouse:Url", url.ToString()),
            ("Warehouse:Secret", Settings.WarehouseSecret),
            .. settings,
        ]);
        await using var services = new ServiceCollection().AddWarehouse(configuration).BuildServiceProvider();
        await services.GetRequiredService<WarehouseClient>().PostAsync(message, List, CancellationToken.None);
    }

    private static async Task AnsweringAsync(
        int status,
        string body,
        Action<Uri> test,
        string? location = null,
        string? retryAfter = null
    )
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var warehouse = builder.Build();
        warehouse.Run(context =>
        {
            context.Response.StatusCode = status;
            if (location is not null)
                context.Response.Headers.Location = location;
            if (retryAfter is not null)
                context.Response.Headers.RetryAfter = retryAfter;
            return context.Response.WriteAsync(body);
        });
        await warehouse.StartAsync();
        test(new Uri(warehouse.Urls.Single()));
        await warehouse.StopAsync();
    }
}
