using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Orders.Workers.Tests.Webhooks;

/// <summary>A client's server: it keeps what it was sent and answers as it is told.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ReceivedEvent> _received = new();

    private Receiver(WebApplication app) => _app = app;

    /// <summary>Answers; 204 unless a test says otherwise.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = NoContent;

    /// <summary>What came, in that order.</summary>
    public IReadOnlyList<ReceivedEvent> Received => [.. _received];

    /// <summary>Where it listens.</summary>
    public Uri Url { get; private set; } = null!;

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new Receiver(builder.Build());
        receiver._app.Run(receiver.ReceiveAsync);
        await receiver._app.StartAsync();
        receiver.Url = new Uri(receiver._app.Urls.Single() + "/events?shop=7");
        return receiver;
    }

    public static Task NoContent(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    public static Func<HttpContext, Task> Status(int status, string text = "") =>
        context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(text);
        };

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body, Encoding.UTF8);
        _received.Enqueue(
            new ReceivedEvent(
                $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}",
                context.Request.Headers.ToDictionary(
                    h => h.Key,
                    h => h.Value.ToString(),
                    StringComparer.OrdinalIgnoreCase
                ),
                await body.ReadToEndAsync()
            )
        );
        await Answer(context);
    }
}

/// <summary>One call.</summary>
internal sealed record ReceivedEvent(string Request, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string Id => Headers["webhook-id"];

    /// <summary>As a receiver verifies it, see docs/webhooks.md.</summary>
    public bool IsSignedWith(byte[] secret)
    {
        var signed = Encoding.UTF8.GetBytes($"{Id}.{Headers["webhook-timestamp"]}.{Body}");
        var expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, signed));
        return Headers["webhook-signature"].Split(' ').Contains(expected);
    }
}
