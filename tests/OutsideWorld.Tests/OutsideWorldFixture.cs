using System.Net.Http.Json;
using System.Text.Json;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Orders.OutsideWorld.Tests;

/// <summary>Each test has a world of its own, on free ports, with real sockets on both sides.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[Parallelizable(ParallelScope.None)]
public abstract class OutsideWorldFixture : IAsyncDisposable
{
    private readonly List<SmtpClient> clients = [];

    protected RunningWorld World { get; private set; } = null!;

    protected HttpClient Http { get; private set; } = null!;

    [SetUp]
    public async Task StartTheWorld()
    {
        World = await OutsideWorldHost.StartAsync(Configure);
        Http = new HttpClient { BaseAddress = World.BaseUri, Timeout = TimeSpan.FromSeconds(60) };
    }

    protected virtual void Configure(OutsideWorldOptions options) { }

    public async ValueTask DisposeAsync()
    {
        clients.ForEach(client => client.Dispose());
        Http?.Dispose();
        if (World is not null)
            await World.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task<SmtpClient> ConnectAsync()
    {
        var client = new SmtpClient { Timeout = 60_000 };
        clients.Add(client);
        await client.ConnectAsync("127.0.0.1", World.SmtpPort, SecureSocketOptions.None);
        return client;
    }

    protected async Task SendAsync(MimeMessage mail)
    {
        var client = await ConnectAsync();
        await client.SendAsync(mail);
        await client.DisconnectAsync(quit: true);
    }

    protected static MimeMessage Mail(
        string subject = "Your order",
        string text = "Thank you.",
        string to = "zoe@example.com",
        string? id = null
    )
    {
        var mail = new MimeMessage
        {
            Subject = subject,
            Body = new TextPart("plain") { Text = text },
        };
        mail.From.Add(new MailboxAddress("Orders", "orders@example.com"));
        mail.To.Add(new MailboxAddress("Zoë Müller", to));
        if (id is not null)
            mail.MessageId = id;
        return mail;
    }

    protected async Task<JsonElement[]> MailsAsync(string query = "") =>
        (await Http.GetFromJsonAsync<JsonElement[]>("/mails" + query))!;

    protected async Task<JsonElement[]> CallsAsync(string query = "") =>
        (await Http.GetFromJsonAsync<JsonElement[]>("/warehouse" + query))!;
}
