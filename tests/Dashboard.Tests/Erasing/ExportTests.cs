using System.Globalization;
using System.Text.Json.Nodes;
using Orders.Infrastructure;
using Orders.Infrastructure.Webhooks;

namespace Orders.Dashboard.Tests.Erasing;

/// <summary>The export of one customer's data, and the commands for export and erasure.</summary>
internal sealed class ExportTests : ErasureFixture
{
    [Test]
    public async Task An_export_has_orders_invoices_mails_and_events_of_one_customer()
    {
        await using var host = await WorkAsync("email,inventory,invoice,warehouse");
        await TestSystem.Database.ExecuteAsync(
            "insert into webhooks (id, client_id, url, events, secret) values (uuidv7(), 'tests', 'https://shop.example/', $1, '')",
            (object)WebhookEvents.All.ToArray()
        );
        var order = await PostAsync(host, Zora);
        var other = await PostAsync(host, Nora);
        foreach (var id in (Guid[])[order, other])
            await TestSystem.UntilAsync(id, OrderStatus.Completed, TimeSpan.FromMinutes(2));

        var answer = await PostAsync(
            "/api/customers/export",
            AdminKey,
            new
            {
                customer = Zora.Email.ToUpperInvariant(),
                reason = "Request of 4 May.",
                documents = true,
            }
        );
        Assert.That(answer.Status, Is.EqualTo(200), answer.Text);
        Assert.That(answer.Text, Does.Not.Contain("Feigenbaum"), "another customer");
        var found = answer.Body["orders"]!.AsArray().Single()!;
        Assert.Multiple(() =>
        {
            Assert.That(found["id"]!.GetValue<Guid>(), Is.EqualTo(order));
            Assert.That(found["status"]!.GetValue<string>(), Is.EqualTo("Completed"));
            Assert.That(found["customer"]!["name"]!.GetValue<string>(), Is.EqualTo(Zora.Name));
            Assert.That(found["shippingAddress"]!["line1"]!.GetValue<string>(), Is.EqualTo(Zora.Street));
            Assert.That(found["lines"]!.AsArray().Single()!["sku"]!.GetValue<string>(), Is.EqualTo("MUG-BLUE"));
            Assert.That(found["steps"]!.AsArray(), Has.Count.EqualTo(4));
            Assert.That(found["mails"]!.AsArray().Single()!["mail"]!.GetValue<string>(), Is.EqualTo("email"));
            Assert.That(
                found["webhookEvents"]!.AsArray().Single()!["event"]!.GetValue<string>(),
                Is.EqualTo(WebhookEvents.Completed)
            );
            Assert.That(
                PersonalTraces.OfPdf(Convert.FromBase64String(found["invoice"]!["pdfBase64"]!.GetValue<string>())),
                Does.Contain(Zora.Name)
            );
            Assert.That(found["creditNote"], Is.Null);
        });

        var nobody = await PostAsync(
            "/api/customers/export",
            AdminKey,
            new { customer = "nobody@example.com", reason = "Request of 4 May." }
        );
        Assert.That(nobody.Status, Is.EqualTo(404));
    }

    [Test]
    public async Task The_commands_export_rehearse_erase_and_list()
    {
        var customer = Nora with { Email = "commands@feigenbaum.example" };
        await StoreEndedAsync(customer, 2);
        var exported = await RunAsync(0, "export", "customer", customer.Email, "--reason", "a request");
        Assert.That(JsonNode.Parse(exported)!["orders"]!.AsArray(), Has.Count.EqualTo(2));

        Assert.That(
            await RunAsync(0, "erase", "customer", customer.Email, "--rehearse"),
            Does.Contain("Orders: 2, invoices: 0, web-hook events: 0, failures: 0")
        );
        Assert.That(await LeftAsync(), Is.EqualTo(2), "a rehearsal changes nothing");
        Assert.That(
            await RunAsync(1, "erase", "customer", customer.Email, "--reason", "a request"),
            Does.Contain("Expected --rehearse or --yes")
        );
        Assert.That(await RunAsync(1, "erase", "customer", customer.Email, "--yes"), Does.Contain("Expected --reason"));
        Assert.That(
            await RunAsync(0, "erase", "customer", customer.Email, "--yes", "--reason", "a request"),
            Does.Contain("2 of 2 erased")
        );
        Assert.That(await LeftAsync(), Is.Zero);
        Assert.That(
            await RunAsync(1, "erase", "customer", customer.Email, "--yes", "--reason", "a request"),
            Does.Contain("erased at")
        );
        var list = await RunAsync(0, "erase", "list");
        Assert.That(list, Does.Match("(?m)^[0-9a-f]{64} \\S+ 2 finished$"));

        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, list);
        Assert.That(
            await RunAsync(0, "erase", "repeat", file, "--yes", "--reason", "restored"),
            Does.Contain("Nobody on the list has data here.")
        );
        File.Delete(file);

        Task<long> LeftAsync() =>
            TestSystem.Database.CountAsync("orders where customer_email = 'commands@feigenbaum.example'");
    }

    private async Task<string> RunAsync(int code, params string[] command)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Orders.sln")))
            root = root.Parent;
        var start = new System.Diagnostics.ProcessStartInfo("bash", ["dev", .. command])
        {
            WorkingDirectory = root!.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ORDERS_OPERATOR_KEY"] = AdminKey;
        start.Environment["BIND_ADDRESS"] = "127.0.0.1";
        start.Environment["DASHBOARD_PORT"] = Dashboard.Address.Port.ToString(CultureInfo.InvariantCulture);
        using var process = System.Diagnostics.Process.Start(start)!;
        var output = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(),
            process.StandardError.ReadToEndAsync()
        );
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.EqualTo(code), () => $"{string.Join(' ', command)}: {string.Concat(output)}");
        return string.Concat(output);
    }
}
