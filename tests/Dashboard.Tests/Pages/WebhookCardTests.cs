using System.Net;
using QueueWorkers.Operators;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>What a client was told of an order stands on the order's page, and a delivery leads there.</summary>
internal sealed class WebhookCardTests : DashboardFixture
{
    private const string Password = "correct horse battery staple";

    [Test]
    public async Task The_page_of_an_order_shows_its_deliveries_and_their_failures_lead_to_it()
    {
        var (order, webhook, delivery) = (await TestSystem.StoreAsync(), Guid.NewGuid(), Guid.NewGuid());
        await TestSystem.Database.ExecuteAsync(
            "insert into webhooks (id, client_id, url, events, secret) values ($1, 'tests', 'https://shop.example:8443/in?token=of-the-client', '{order.completed}', '')",
            webhook
        );
        await TestSystem.Database.ExecuteAsync(
            "insert into webhook_deliveries (id, webhook_id, order_id, event, at) values ($1, $2, $3, 'order.completed', now())",
            delivery,
            webhook,
            order
        );
        await TestSystem.Database.ExecuteAsync(
            $"insert into step_runs (subject_id, step, status, attempts, last_fault) values ($1, 'webhook', {StepStatus.Failed:D}, 8, 'found 500 out of order')",
            delivery
        );
        await new OperatorStore(TestSystem.Database.Source).EnsureAsync(
            "wanda",
            OperatorRole.Viewer,
            Password,
            null,
            default
        );
        using var browser = new HttpClient(
            new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }
        )
        {
            BaseAddress = Dashboard.Address,
        };
        using var login = await browser.PostAsync(
            new Uri("/login", UriKind.Relative),
            new FormUrlEncodedContent([new("name", "wanda"), new("password", Password)])
        );

        using var byDelivery = await browser.GetAsync(new Uri($"/orders/{delivery}", UriKind.Relative));
        Assert.That(byDelivery.Headers.Location?.ToString(), Is.EqualTo($"/orders/{order}"));
        var page = await browser.GetStringAsync(new Uri($"/orders/{order}", UriKind.Relative));
        Assert.That(
            page,
            Does.Contain("order.completed")
                .And.Contain("shop.example:8443")
                .And.Contain("found 500 out of order")
                .And.Not.Contain("of-the-client")
        );
    }
}
