import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { CallClient } from './call/client';
import { ConversationsClient } from './conversations/client';
import { ProvidersClient } from './providers/client';
import './styles.css';

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App call={new CallClient()} conversations={new ConversationsClient()} providers={new ProvidersClient()} />
    </StrictMode>,
  );
}
