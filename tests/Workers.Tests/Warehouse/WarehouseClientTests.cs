using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orders.OutsideWorld;
using Orders.OutsideWorld.Faults;
using Orders.Workers.Warehouse;
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
    [TestCase(425)]
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

    private static async Task AnsweringAsync(int status, string body, Action<Uri> test, string? location = null)
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
            return context.Response.WriteAsync(body);
        });
        await warehouse.StartAsync();
        test(new Uri(warehouse.Urls.Single()));
        await warehouse.StopAsync();
    }
}
