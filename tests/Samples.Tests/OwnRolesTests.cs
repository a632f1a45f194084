using Npgsql;
using Orders.Testing.Servers;

namespace Orders.Samples.Tests;

/// <summary>
/// Each step of the sample in a process of its own, with the database role and the broker user that the deployment makes
/// for a step whose passwords it knows.
/// </summary>
public sealed class OwnRolesTests
{
    private static readonly string[] Steps = ["label", "handover", "notify"];

    [Test, Category("Long")]
    public async Task Each_step_does_its_work_with_the_rights_of_its_role()
    {
        var passwords = Steps
            .SelectMany(step => new[] { $"{step}_DB_PASSWORD", $"{step}_MQ_PASSWORD" })
            .Select(name => (name.ToUpperInvariant(), SharedLogins.Password));
        await using var installation = await ParcelsInstallation.DeployAsync(settings: [.. passwords]);
        var api = SupervisedHost.StartDll(ParcelsInstallation.Dll, Of(installation, "none"));
        var hosts = Steps.Select(step =>
            SupervisedHost.StartDll(ParcelsInstallation.Dll, AsItself(installation, step))
        );
        SupervisedHost[] all = [api, .. hosts];
        try
        {
            foreach (var host in all)
                await host.UntilReadyAsync();
            await installation.UntilCompleteAsync([await installation.PostAsync(api.Address!)]);
        }
        catch (AssertionException)
        {
            foreach (var host in all)
                await TestContext.Out.WriteLineAsync($"A host's log:\n{host}");
            throw;
        }
        finally
        {
            foreach (var host in all)
                await host.DisposeAsync();
        }
    }

    private static Dictionary<string, string?> AsItself(ParcelsInstallation installation, string step)
    {
        var settings = Of(installation, step);
        settings["ConnectionStrings:Postgres"] = new NpgsqlConnectionStringBuilder(
            installation.Database.ConnectionString
        )
        {
            Username = $"orders_{step}",
            Password = null,
        }.ConnectionString;
        settings["Database:Password"] = settings["RabbitMq:Password"] = SharedLogins.Password;
        settings["RabbitMq:Username"] = $"orders_{step}";
        return settings;
    }

    private static Dictionary<string, string?> Of(ParcelsInstallation installation, string steps) =>
        new(installation.Settings) { ["Workers:Steps"] = steps };
}
