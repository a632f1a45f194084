using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>A browser with one page.</summary>
internal sealed class Viewer : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _complaints = [];

    public Viewer(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        Listen(page);
    }

    /// <summary>The first tab.</summary>
    public IPage Page { get; }

    /// <summary>Opens one more tab of the same browser.</summary>
    public async Task<IPage> OpenTabAsync()
    {
        var page = await _context.NewPageAsync();
        Listen(page);
        return page;
    }

    private void Listen(IPage page)
    {
        page.PageError += (_, error) => _complaints.Enqueue($"{page.Url}: script: {error}");
        page.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase))
                _complaints.Enqueue($"{page.Url}: {message.Text}");
        };
        page.Request += (_, request) => Requests.Enqueue(request.Url);
    }

    /// <summary>Every address the page has asked for.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>What was refused or thrown so far.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        Assert.That(_complaints, Is.Empty, "what the browser complained about");
    }
}
